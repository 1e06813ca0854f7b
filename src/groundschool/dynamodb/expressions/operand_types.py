"""Which types the operators of a condition take, checked against the values of a request before any item is read.

Only placeholders have a type that early; what a document path holds is found out item by item, where a wrong type
simply does not match.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from groundschool.dynamodb.expressions.syntax import (
    Between,
    Call,
    Combination,
    Comparison,
    Condition,
    Membership,
    Not,
    Operand,
    Placeholder,
)
from groundschool.dynamodb.values import comparison
from groundschool.dynamodb.values.attribute_value import TYPES, Value, type_of

Values = Mapping[str, Value]

_UNSIZED = frozenset({"N", "BOOL", "NULL"})


def check_operand_types(node: Condition, values: Values) -> str | None:
    """AWS's words for the first operand of a wrong type, or None."""
    return next(_problems(node, values), None)


def _problems(node: Condition, values: Values) -> Iterator[str]:
    match node:
        case Combination(_, parts):
            for part in parts:
                yield from _problems(part, values)
        case Not(condition):
            yield from _problems(condition, values)
        case Comparison(operator, left, right):
            yield from _sizes((left, right), values)
            if operator not in ("=", "<>"):
                yield from _require(operator, (left, right), comparison.ORDERED, values)
        case Between(operand, low, high):
            yield from _sizes((operand, low, high), values)
            yield from _require("BETWEEN", (operand, low, high), comparison.ORDERED, values)
            yield from _bounds(low, high, values)
        case Membership(operand, choices):
            yield from _sizes((operand, *choices), values)
        case Call(name, arguments):
            yield from _sizes(arguments, values)
            yield from _call(name, arguments, values)


def _call(name: str, arguments: tuple[Operand, ...], values: Values) -> Iterator[str]:
    if name == "begins_with":
        yield from _require(name, arguments, frozenset({"S", "B"}), values)
    elif name == "attribute_type":
        wanted = _value(arguments[1], values)
        if wanted is None:
            yield _wrong_type(name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
        elif type_of(wanted) != "S":
            yield _wrong_type(name, type_of(wanted))
        elif wanted["S"] not in TYPES:
            valid = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            yield f"Invalid attribute type name found; type: {wanted['S']}, valid types: {valid}"


def _sizes(operands: tuple[Operand, ...], values: Values) -> Iterator[str]:
    for operand in operands:
        if isinstance(operand, Call):
            inner = operand.arguments[0]
            value = _value(inner, values)
            if isinstance(inner, Call):
                yield _wrong_type("size", "N")
            elif value is not None and type_of(value) in _UNSIZED:
                yield _wrong_type("size", type_of(value))


def _require(name: str, operands: tuple[Operand, ...], allowed: frozenset[str], values: Values) -> Iterator[str]:
    for operand in operands:
        kind = "N" if isinstance(operand, Call) else None
        value = _value(operand, values)
        kind = type_of(value) if value is not None else kind
        if kind is not None and kind not in allowed:
            yield _wrong_type(name, kind)


def _bounds(low: Operand, high: Operand, values: Values) -> Iterator[str]:
    lower, upper = _value(low, values), _value(high, values)
    if lower is None or upper is None:
        return
    shown = f"lower bound operand: AttributeValue: {_show(lower)}, upper bound operand: AttributeValue: {_show(upper)}"
    order = comparison.compare(lower, upper)
    if type_of(lower) != type_of(upper):
        yield f"The BETWEEN operator requires same data type for lower and upper bounds; {shown}"
    elif order is not None and order > 0:
        yield f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {shown}"


def _value(operand: Operand, values: Values) -> Value | None:
    return values.get(operand.name) if isinstance(operand, Placeholder) else None


def _wrong_type(name: str, kind: str) -> str:
    return f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"


def _show(value: Value) -> str:
    kind = type_of(value)
    content = value[kind]
    return f"{{{kind}:{content if isinstance(content, str) else json.dumps(content)}}}"
