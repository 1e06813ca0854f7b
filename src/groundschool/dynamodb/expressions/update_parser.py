"""Update expressions: text to actions.

AWS: developer guide, "Using update expressions": up to one each of SET, REMOVE, ADD and DELETE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from groundschool.dynamodb.expressions.document_path import References
from groundschool.dynamodb.expressions.function_call import check_call
from groundschool.dynamodb.expressions.lexer import TokenKind, TokenStream
from groundschool.dynamodb.expressions.limits import Limits
from groundschool.dynamodb.expressions.syntax import Action, Arithmetic, Call, Document, Operand, Placeholder

_KIND = "UpdateExpression"
_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}
_PROBLEM_ORDER = (
    "reserved",
    "unknown function",
    "section",
    "undefined",
    "overlap",
    "conflict",
    "operands",
    "path",
)


@dataclass(frozen=True, slots=True)
class ParsedUpdate:
    """The actions in the order written, and what they refer to."""

    actions: tuple[Action, ...]
    names: frozenset[str]
    values: frozenset[str]


def parse_update(text: str, names: Mapping[str, str]) -> ParsedUpdate:
    """Raises ValidationException in AWS's words."""
    return _Parser(text, names).parse()


class _Parser:
    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._stream = TokenStream(_KIND, text)
        self._refers = References(self._stream, names, _PROBLEM_ORDER)
        self._limits = Limits(self._stream)

    def parse(self) -> ParsedUpdate:
        actions: list[Action] = []
        seen: set[str] = set()
        while section := self._stream.at_keyword("SET", "REMOVE", "ADD", "DELETE"):
            self._stream.advance()
            if section in seen:
                self._refers.problem(
                    "section", f'The "{section}" section can only be used once in an update expression;'
                )
            seen.add(section)
            actions.append(self._action(section))
            while self._stream.take(","):
                actions.append(self._action(section))
        self._stream.expect_end()
        self._refers.check_overlaps([action.path for action in actions])
        self._refers.raise_first_problem()
        return ParsedUpdate(tuple(actions), frozenset(self._refers.names), frozenset(self._refers.values))

    def _action(self, section: str) -> Action:
        self._limits.count_operator()
        path = self._refers.path()
        if section == "REMOVE":
            return Action(section, path, None)
        if section == "SET":
            self._stream.expect("=")
            return Action(section, path, self._arithmetic())
        if self._stream.current.kind is not TokenKind.VALUE_PLACEHOLDER:
            raise self._stream.syntax_error()
        return Action(section, path, self._operand())

    def _arithmetic(self) -> Operand | Arithmetic:
        if self._stream.take("("):
            grouped = self._arithmetic_of_operands()
            self._stream.expect(")")
            return grouped
        return self._arithmetic_of_operands()

    def _arithmetic_of_operands(self) -> Operand | Arithmetic:
        left = self._operand()
        if self._stream.at("+") or self._stream.at("-"):
            operator = self._stream.advance().text
            self._limits.count_operator()
            return Arithmetic(operator, left, self._operand())
        return left

    def _operand(self) -> Operand:
        stream = self._stream
        if stream.current.kind is TokenKind.VALUE_PLACEHOLDER:
            name = stream.advance().text
            self._refers.values.add(name)
            return Placeholder(name)
        if stream.calls_function():
            return self._call()
        return Document(self._refers.path())

    def _call(self) -> Call:
        stream = self._stream
        name = stream.advance().text
        stream.expect("(")
        self._limits.count_operator()
        self._limits.enter()
        arguments = [self._operand()]
        while stream.take(","):
            arguments.append(self._operand())
        stream.expect(")")
        self._limits.leave()
        call = Call(name, tuple(arguments))
        check_call(call, _FUNCTIONS, self._refers)
        return call
