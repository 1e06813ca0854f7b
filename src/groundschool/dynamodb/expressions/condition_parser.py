"""Condition, filter and key-condition expressions: text to syntax.

AWS: developer guide, "Condition and filter expressions, operators, and functions". Comparisons, then NOT, then AND,
then OR, from tightest to loosest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from groundschool.dynamodb.expressions.document_path import References
from groundschool.dynamodb.expressions.function_call import check_call
from groundschool.dynamodb.expressions.lexer import TokenKind, TokenStream
from groundschool.dynamodb.expressions.limits import Limits
from groundschool.dynamodb.expressions.syntax import (
    Between,
    Call,
    Combination,
    Comparison,
    Condition,
    Document,
    Membership,
    Node,
    Not,
    Operand,
    Path,
    Placeholder,
    show,
)

FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
"""Each function with its number of operands."""

_MAX_CHOICES = 100
_PROBLEM_ORDER = ("parens", "unknown function", "misused", "reserved", "undefined", "operands", "distinct", "path")
_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_OR, _AND, _NOT = 1, 2, 3


@dataclass(frozen=True, slots=True)
class ParsedCondition:
    """A condition, and what it refers to."""

    root: Condition
    names: frozenset[str]
    values: frozenset[str]
    paths: tuple[Path, ...]


def parse_condition(kind: str, text: str, names: Mapping[str, str]) -> ParsedCondition:
    """Raises ValidationException in AWS's words; ``kind`` is the parameter's name."""
    return _Parser(kind, text, names).parse()


class _Parser:
    def __init__(self, kind: str, text: str, names: Mapping[str, str]) -> None:
        self._stream = TokenStream(kind, text)
        self._refers = References(self._stream, names, _PROBLEM_ORDER)
        self._limits = Limits(self._stream)
        self._last_group = (-1, -1)

    def parse(self) -> ParsedCondition:
        root = self._condition(self._expression(_OR))
        self._stream.expect_end()
        self._refers.raise_first_problem()
        refers = self._refers
        return ParsedCondition(root, frozenset(refers.names), frozenset(refers.values), tuple(refers.paths))

    def _expression(self, loosest: int) -> Node:
        node = self._negations()
        while True:
            keyword = self._stream.at_keyword("AND", "OR")
            level = _AND if keyword == "AND" else _OR
            if keyword is None or level < loosest:
                return node
            parts = [self._condition(node)]
            while self._stream.at_keyword(keyword):
                self._stream.advance()
                self._limits.count_operator()
                parts.append(self._condition(self._expression(level + 1)))
            node = Combination(keyword, tuple(parts))

    def _negations(self) -> Node:
        count = 0
        while self._stream.at_keyword("NOT"):
            self._stream.advance()
            self._limits.count_operator()
            count += 1
        node = self._comparison()
        if count == 0:
            return node
        condition = self._condition(node)
        return Not(condition) if count % 2 else condition

    def _comparison(self) -> Node:
        left = self._primary()
        stream = self._stream
        if stream.current.text in _COMPARATORS and stream.current.kind is TokenKind.PUNCTUATION:
            operand = self._operand(left)
            operator = stream.advance().text
            self._limits.count_operator()
            right = self._operand(self._primary())
            self._check_distinct(operator, operand, (right,))
            return Comparison(operator, operand, right)
        if stream.at_keyword("BETWEEN"):
            return self._between(self._operand(left))
        if stream.at_keyword("IN"):
            return self._membership(self._operand(left))
        return left

    def _between(self, operand: Operand) -> Between:
        self._stream.advance()
        self._limits.count_operator()
        low = self._operand(self._primary())
        if not self._stream.at_keyword("AND"):
            raise self._stream.syntax_error()
        self._stream.advance()
        return Between(operand, low, self._operand(self._primary()))

    def _membership(self, operand: Operand) -> Membership:
        self._stream.advance()
        self._limits.count_operator()
        self._stream.expect("(")
        choices = [self._operand(self._primary())]
        while self._stream.take(","):
            choices.append(self._operand(self._primary()))
        self._stream.expect(")")
        if len(choices) > _MAX_CHOICES:
            self._refers.problem(
                "operands",
                "Incorrect number of operands for operator or function; "
                f"operator or function: IN, number of operands: {len(choices) + 1}",
            )
        return Membership(operand, tuple(choices))

    def _primary(self) -> Node:
        stream = self._stream
        if stream.at("("):
            return self._group()
        if stream.current.kind is TokenKind.VALUE_PLACEHOLDER:
            name = stream.advance().text
            self._refers.values.add(name)
            return Placeholder(name)
        if stream.calls_function():
            return self._call()
        return Document(self._refers.path())

    def _group(self) -> Node:
        start = self._stream.position
        self._stream.advance()
        self._limits.enter()
        node = self._expression(_OR)
        self._limits.leave()
        end = self._stream.position
        self._stream.expect(")")
        if self._last_group == (start + 1, end - 1):
            self._refers.problem("parens", "The expression has redundant parentheses;")
        self._last_group = (start, end)
        return node

    def _call(self) -> Call:
        stream = self._stream
        name = stream.advance().text
        stream.expect("(")
        self._limits.count_operator()
        arguments = [self._argument()]
        while stream.take(","):
            arguments.append(self._argument())
        stream.expect(")")
        call = Call(name, tuple(arguments))
        if check_call(call, FUNCTIONS, self._refers) and len(call.arguments) == 2:
            self._check_distinct(name, call.arguments[0], call.arguments[1:])
        return call

    def _argument(self) -> Operand:
        self._limits.enter()
        operand = self._operand(self._primary())
        self._limits.leave()
        return operand

    def _check_distinct(self, name: str, first: Operand, others: tuple[Operand, ...]) -> None:
        if isinstance(first, Document) and first in others:
            self._refers.problem(
                "distinct",
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {name}, first operand: {show(first.path)}",
            )

    def _operand(self, node: Node) -> Operand:
        if isinstance(node, Call):
            if node.name != "size":
                self._misused(node)
            return node
        if isinstance(node, (Document, Placeholder)):
            return node
        raise self._stream.syntax_error()

    def _condition(self, node: Node) -> Condition:
        if isinstance(node, Call):
            if node.name == "size":
                self._misused(node)
            return node
        if isinstance(node, (Document, Placeholder)):
            raise self._stream.syntax_error()
        return cast(Condition, node)

    def _misused(self, call: Call) -> None:
        if call.name in FUNCTIONS:
            self._refers.problem(
                "misused", f"The function is not allowed to be used this way in an expression; function: {call.name}"
            )
