"""How many operators an expression may have, and how deep it may nest."""

from __future__ import annotations

from groundschool.dynamodb.expressions.lexer import TokenStream

MAX_OPERATORS = 300
"""AWS: service quotas, "Expression parameters": operators or functions in any expression."""

# Ours, not AWS's: real conditions nest a handful deep, and this keeps parsing and evaluating within Python's stack.
_MAX_NESTING = 100


class Limits:
    """Of one expression, counted while it is parsed. Raises ValidationException."""

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self._operators = 0
        self._depth = 0

    def count_operator(self) -> None:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            raise self._stream.error(
                f"The expression contains too many operators; maximum number of operators allowed: {MAX_OPERATORS}"
            )

    def enter(self) -> None:
        """One level deeper, until :meth:`leave`."""
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise self._stream.error(f"The expression nests too deeply; maximum depth allowed: {_MAX_NESTING}")

    def leave(self) -> None:
        self._depth -= 1
