"""Equality, order and containment between canonical AttributeValues.

AWS: developer guide, "Comparison operator and function reference". Values of different types are never equal and have
no order. Strings compare by their UTF-8 bytes, which is the order of their code points.
"""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import Any

from groundschool.dynamodb.values.attribute_value import Value, type_of

ORDERED = frozenset({"S", "N", "B"})
_SETS = frozenset({"SS", "NS", "BS"})


def equal(left: Value, right: Value) -> bool:
    """Same type, same value; sets without regard to order, at every depth."""
    kind = type_of(left)
    if kind != type_of(right):
        return False
    mine, other = left[kind], right[kind]
    if kind in _SETS:
        return len(mine) == len(other) and set(mine) == set(other)
    if kind == "L":
        return len(mine) == len(other) and all(map(equal, mine, other))
    if kind == "M":
        return mine.keys() == other.keys() and all(equal(member, other[name]) for name, member in mine.items())
    return bool(mine == other)


def sort_key(value: Value) -> Any:
    """A Python value that orders as DynamoDB orders this type (S, N or B)."""
    if "S" in value:
        return value["S"]
    if "N" in value:
        return Decimal(value["N"])
    return b64decode(value["B"])


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None when the two have no order."""
    kind = type_of(left)
    if kind != type_of(right) or kind not in ORDERED:
        return None
    mine, other = sort_key(left), sort_key(right)
    return int(mine > other) - int(mine < other)


def begins_with(value: Value, prefix: Value) -> bool:
    """Two strings, or two binaries by their bytes."""
    kind = type_of(value)
    if kind != type_of(prefix):
        return False
    if kind == "S":
        return bool(value["S"].startswith(prefix["S"]))
    return kind == "B" and b64decode(value["B"]).startswith(b64decode(prefix["B"]))


def contains(value: Value, operand: Value) -> bool:
    """A substring, a run of bytes, a member of a set, or an element of a list."""
    kind, wanted = type_of(value), type_of(operand)
    if kind == "S":
        return wanted == "S" and operand["S"] in value["S"]
    if kind == "B":
        return wanted == "B" and b64decode(operand["B"]) in b64decode(value["B"])
    if kind in _SETS:
        return wanted == kind[0] and operand[wanted] in value[kind]
    return kind == "L" and any(equal(member, operand) for member in value["L"])


def length(value: Value) -> int | None:
    """What ``size()`` gives: characters, bytes or members; None for numbers, booleans and null."""
    kind = type_of(value)
    if kind == "B":
        return len(b64decode(value["B"]))
    return None if kind in ("N", "BOOL", "NULL") else len(value[kind])
