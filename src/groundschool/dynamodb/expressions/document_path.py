"""Document paths: parsed, resolved, looked up, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.expressions.lexer import TokenKind, TokenStream
from groundschool.dynamodb.expressions.reserved_words import RESERVED_WORDS
from groundschool.dynamodb.expressions.syntax import Path, show
from groundschool.dynamodb.values.attribute_value import Item, Value

_MAX_INDEX_DIGITS = 9


class References:
    """What the expressions of one text refer to, and the first problem of each kind, in the order AWS reports them."""

    def __init__(self, stream: TokenStream, names: Mapping[str, str], problem_order: Sequence[str]) -> None:
        self._stream = stream
        self._names = names
        self._order = problem_order
        self._problems: dict[str, str] = {}
        self.names: set[str] = set()
        self.values: set[str] = set()
        self.paths: list[Path] = []

    def problem(self, kind: str, message: str) -> None:
        self._problems.setdefault(kind, message)

    def raise_first_problem(self) -> None:
        for kind in self._order:
            if kind in self._problems:
                raise self._stream.error(self._problems[kind])

    def path(self) -> Path:
        """Parses a document path at the current token."""
        steps: list[str | int] = [self._name()]
        stream = self._stream
        while True:
            if stream.take("."):
                steps.append(self._name())
            elif stream.take("["):
                if stream.current.kind is not TokenKind.NUMBER:
                    raise stream.syntax_error()
                digits = stream.advance().text
                if len(digits) > _MAX_INDEX_DIGITS:
                    raise stream.error(f"List index is not within the allowable range; index: [{digits}]")
                steps.append(int(digits))
                stream.expect("]")
            else:
                break
        path = tuple(steps)
        self.paths.append(path)
        return path

    def _name(self) -> str:
        token = self._stream.current
        if token.kind is TokenKind.WORD:
            if token.text.upper() in RESERVED_WORDS:
                message = f"Attribute name is a reserved keyword; reserved keyword: {token.text}"
                self.problem("reserved", message)
            return self._stream.advance().text
        if token.kind is not TokenKind.NAME_PLACEHOLDER:
            raise self._stream.syntax_error()
        self._stream.advance()
        self.names.add(token.text)
        if token.text not in self._names:
            self.problem(
                "undefined",
                f"An expression attribute name used in the document path is not defined; attribute name: {token.text}",
            )
            return token.text
        return self._names[token.text]

    def check_overlaps(self, paths: Sequence[Path]) -> None:
        """No path may be equal to, inside of, or of another kind than another one. Linear in their total length."""
        whole: dict[Path, Path] = {}
        beginnings: dict[Path, Path] = {}
        for path in paths:
            prefixes = [path[:length] for length in range(1, len(path))]
            covering = next((prefix for prefix in [*prefixes, path] if prefix in whole), None)
            if covering is not None:
                self._pair_problem("overlap", whole[covering], path)
            elif path in beginnings:
                self._pair_problem("overlap", beginnings[path], path)
            for prefix, step in zip(prefixes, path[1:], strict=True):
                other = beginnings.setdefault(prefix, path)
                if type(other[len(prefix)]) is not type(step):
                    self._pair_problem("conflict", other, path)
            whole[path] = path

    def _pair_problem(self, kind: str, first: Path, second: Path) -> None:
        self.problem(
            kind,
            f"Two document paths {kind} with each other; must remove or rewrite one of these paths; "
            f"path one: {show(first)}, path two: {show(second)}",
        )


def look_up(item: Item, path: Path) -> Value | None:
    """The value at a path; None when any step is missing or of another type."""
    value: Any = item.get(path[0])  # type: ignore[arg-type]
    for step in path[1:]:
        if value is None:
            return None
        if isinstance(step, int):
            members = value.get("L")
            value = members[step] if members is not None and step < len(members) else None
        else:
            members = value.get("M")
            value = members.get(step) if members is not None else None
    return value  # type: ignore[no-any-return]


def undefined_value(kind: str, name: str) -> ApiError:
    """An expression uses a value placeholder that the request does not define."""
    return ApiError(
        "ValidationException",
        f"Invalid {kind}: An expression attribute value used in expression is not defined; attribute value: {name}",
    )
