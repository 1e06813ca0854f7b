"""The expression parameters of one request: names, values, and whether all of them were used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundschool.dynamodb.api_error import ApiError, validation
from groundschool.dynamodb.expressions.condition import CompiledCondition, compile_condition
from groundschool.dynamodb.expressions.key_condition import CompiledKeyCondition, compile_key_condition
from groundschool.dynamodb.expressions.projection import Projection, compile_projection
from groundschool.dynamodb.expressions.update import CompiledUpdate, compile_update
from groundschool.dynamodb.values import attribute_value
from groundschool.dynamodb.values.attribute_value import Value

_PLACEHOLDER = re.compile(r"[#:][0-9a-zA-Z_]+")
_NO_VALUES: Mapping[str, Value] = {}

Params = Mapping[str, Any]


def refuse_mixed_styles(params: Params, expressions: Sequence[str], legacy: Sequence[str]) -> None:
    """Expressions and their legacy counterparts exclude each other; names and values need an expression."""
    used = [name for name in expressions if params.get(name) is not None]
    if used:
        old = [name for name in legacy if params.get(name) is not None]
        if old:
            raise validation(
                "Can not use both expression and non-expression parameters in the same request: "
                f"Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(used)}}}"
            )
    elif params.get("ExpressionAttributeNames") is not None:
        raise validation("ExpressionAttributeNames can only be specified when using expressions")
    if params.get("ExpressionAttributeValues") is not None:
        _require_value_expression(params, expressions)


def _require_value_expression(params: Params, expressions: Sequence[str]) -> None:
    takers = [name for name in expressions if name != "ProjectionExpression"]
    if all(params.get(name) is None for name in takers):
        verb = "are" if len(takers) > 1 else "is"
        raise validation(
            "ExpressionAttributeValues can only be specified when using expressions: "
            f"{' and '.join(takers)} {verb} null"
        )


class ExpressionParameters:
    """Compiles the expressions of a request and remembers which placeholders they use.

    Call :meth:`finish` when all expressions were compiled. ``values`` are checked and canonical.
    """

    def __init__(self, params: Params) -> None:
        names: Mapping[str, str] | None = params.get("ExpressionAttributeNames")
        self.values: Mapping[str, Value] = params.get("ExpressionAttributeValues") or _NO_VALUES
        self._names = tuple(names.items()) if names else ()
        self._unused_names = set(names) if names is not None else set()
        self._unused_values = set(self.values)
        if names is not None:
            _check_placeholders("ExpressionAttributeNames", names, "#")
        if params.get("ExpressionAttributeValues") is not None:
            _check_placeholders("ExpressionAttributeValues", self.values, ":")
            _check_values(self.values)

    def condition(self, kind: str, text: str | None) -> CompiledCondition | None:
        """``kind`` is ConditionExpression or FilterExpression; None without text."""
        if text is None:
            return None
        compiled = compile_condition(kind, text, self._names)
        self._used(compiled.names, compiled.values)
        compiled.check(self.values)
        return compiled

    def key_condition(self, text: str) -> CompiledKeyCondition:
        compiled = compile_key_condition(text, self._names)
        self._used(compiled.condition.names, compiled.condition.values)
        compiled.condition.check(self.values)
        return compiled

    def projection(self, text: str | None) -> Projection | None:
        if text is None:
            return None
        compiled = compile_projection(text, self._names)
        self._used(compiled.names, frozenset())
        return compiled

    def update(self, text: str) -> CompiledUpdate:
        compiled = compile_update(text, self._names)
        self._used(compiled.names, compiled.values)
        compiled.check(self.values)
        return compiled

    def finish(self) -> None:
        """Raises when a name or value was defined and never used."""
        if self._unused_names:
            raise _unused("ExpressionAttributeNames", [name for name, _ in self._names if name in self._unused_names])
        if self._unused_values:
            raise _unused("ExpressionAttributeValues", [name for name in self.values if name in self._unused_values])

    def _used(self, names: frozenset[str], values: frozenset[str]) -> None:
        self._unused_names -= names
        self._unused_values -= values


def _unused(parameter: str, names: Sequence[str]) -> ApiError:
    return validation(f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(names)}}}")


def _check_placeholders(parameter: str, entries: Mapping[str, Any], sigil: str) -> None:
    if not entries:
        raise validation(f"{parameter} must not be empty")
    for key in entries:
        if not (key.startswith(sigil) and _PLACEHOLDER.fullmatch(key)):
            raise validation(f'{parameter} contains invalid key: Syntax error; key: "{key}"')


def _check_values(values: Mapping[str, Value]) -> None:
    for name, value in values.items():
        try:
            attribute_value.check(value)
        except ApiError as error:
            if error.code != "ValidationException":
                raise
            raise validation(
                f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}"
            ) from None
