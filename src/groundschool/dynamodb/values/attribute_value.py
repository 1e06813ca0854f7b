"""AttributeValues in wire form: checked, made canonical and measured in one walk.

An item is a dict of name -> ``{"S": "..."}`` exactly as on the wire (binary stays base64). What passed :func:`check`
is canonical: numbers have one spelling, so equal values are equal JSON, and stored JSON needs no work to be sent.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any

from groundschool.dynamodb.api_error import invalid_parameters, serialization, validation
from groundschool.dynamodb.values import number

Value = dict[str, Any]
Item = dict[str, Value]

MAX_DEPTH = 32
"""AWS: service quotas, "Nested attribute depth"."""

_COLLECTION_OVERHEAD = 3
"""AWS: item sizes: a list or map takes 3 bytes, and one byte for each element."""


def check_item(attributes: Item) -> int:
    """Checks and canonicalises every attribute in place; returns the item's size in bytes."""
    size = 0
    for name, value in attributes.items():
        # Most attributes are strings and plain numbers: no call for them.
        if type(value) is dict and len(value) == 1 and type(text := value.get("S")) is str:
            size += (len(text) if text.isascii() else len(text.encode())) + _name_size(name)
        else:
            size += check(value) + _name_size(name)
    return size


def check(value: Any, depth: int = 0) -> int:
    """Checks and canonicalises one AttributeValue in place; returns its size in bytes."""
    if type(value) is not dict:
        raise serialization(
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
            if isinstance(value, list)
            else "Unexpected value type in payload"
        )
    if len(value) != 1:
        _check_single_type(value)
    for kind, content in value.items():
        checker = _CHECKERS.get(kind)
        if checker is not None and content is not None:
            return checker(value, content, depth)
    raise validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def _check_single_type(value: Value) -> None:
    """Drops what the service model does not know, as AWS's parser does, and complains about two types at once."""
    for kind in [kind for kind in value if kind not in _CHECKERS or value[kind] is None]:
        del value[kind]
    if not value:
        raise validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len(value) > 1:
        raise validation(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )


def _name_size(name: str) -> int:
    return len(name) if name.isascii() else len(name.encode())


def type_of(value: Value) -> str:
    """The type of a canonical value: ``S``, ``N``, ..."""
    return next(iter(value))


def wire_type_error(content: Any, wanted: str) -> Exception:
    """AWS's words for a JSON type that cannot become ``wanted`` (String, Boolean, Integer, ...)."""
    if isinstance(content, bool):
        return serialization(f"{'TRUE' if content else 'FALSE'}_VALUE cannot be converted to {wanted}")
    if isinstance(content, int):
        return serialization(f"NUMBER_VALUE cannot be converted to {wanted}")
    if isinstance(content, float):
        return serialization(f"DECIMAL_VALUE cannot be converted to {wanted}")
    if isinstance(content, str):
        return serialization(f"STRING_VALUE cannot be converted to {wanted}")
    if isinstance(content, list):
        return serialization(f"Unrecognized collection type class java.lang.{wanted}")
    return serialization("Start of structure or map found where not expected")


def _string(_value: Value, content: Any, _depth: int) -> int:
    if type(content) is not str:
        raise wire_type_error(content, "String")
    return len(content) if content.isascii() else len(content.encode())


def _number(value: Value, content: Any, _depth: int) -> int:
    if type(content) is not str:
        raise wire_type_error(content, "String")
    value["N"] = text = number.canonical(content)
    return number.size(text)


def _binary(_value: Value, content: Any, _depth: int) -> int:
    return _blob_size(content)


def _blob_size(content: Any) -> int:
    if type(content) is not str:
        if isinstance(content, list):
            raise serialization("Unrecognized collection type class java.nio.ByteBuffer")
        if isinstance(content, dict):
            raise serialization("Start of structure or map found where not expected")
        raise serialization("only base-64-encoded strings are convertible to bytes")
    if len(content) % 4:
        raise serialization(f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(content)}")
    try:
        raw = binascii.a2b_base64(content, strict_mode=True)
    except (binascii.Error, ValueError):
        raise serialization("Invalid Base64 encoded character detected") from None
    if binascii.b2a_base64(raw, newline=False).decode() != content:
        raise serialization("Invalid last non-pad Base64 character dectected")
    return len(raw)


def _boolean(_value: Value, content: Any, _depth: int) -> int:
    if type(content) is not bool:
        raise wire_type_error(content, "Boolean")
    return 1


def _null(_value: Value, content: Any, _depth: int) -> int:
    if type(content) is not bool:
        raise wire_type_error(content, "Boolean")
    if not content:
        raise invalid_parameters("Null attribute value types must have the value of true")
    return 1


def _members(content: Any) -> list[Any]:
    if type(content) is not list:
        raise serialization(
            "Start of structure or map found where not expected"
            if isinstance(content, dict)
            else "Unexpected field type"
        )
    return content


def _string_set(value: Value, content: Any, depth: int) -> int:
    members = _members(content)
    if not members:
        raise invalid_parameters("An string set  may not be empty")
    size = sum(_string(value, member, depth) for member in members)
    if len(set(members)) != len(members):
        raise invalid_parameters(f"Input collection [{', '.join(members)}] contains duplicates.")
    return size


def _number_set(value: Value, content: Any, _depth: int) -> int:
    members = _members(content)
    if not members:
        raise invalid_parameters("An number set  may not be empty")
    for member in members:
        if type(member) is not str:
            raise wire_type_error(member, "String")
    value["NS"] = numbers = [number.canonical(member) for member in members]
    if len(set(numbers)) != len(numbers):
        raise validation("Input collection contains duplicates")
    return sum(map(number.size, numbers))


def _binary_set(_value: Value, content: Any, _depth: int) -> int:
    members = _members(content)
    if not members:
        raise invalid_parameters("Binary sets should not be empty")
    size = sum(map(_blob_size, members))
    if len(set(members)) != len(members):
        raise invalid_parameters(f"Input collection [{', '.join(members)}]of type BS contains duplicates.")
    return size


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise validation("Nesting Levels have exceeded supported limits")
    return depth + 1


def _list(_value: Value, content: Any, depth: int) -> int:
    inner = _deeper(depth)
    return _COLLECTION_OVERHEAD + sum(1 + check(member, inner) for member in _members(content))


def _map(_value: Value, content: Any, depth: int) -> int:
    if type(content) is not dict:
        raise serialization(
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>"
            if isinstance(content, list)
            else "Unexpected field type"
        )
    inner = _deeper(depth)
    return _COLLECTION_OVERHEAD + sum(1 + _name_size(name) + check(member, inner) for name, member in content.items())


_CHECKERS: dict[str, Callable[[Value, Any, int], int]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _null,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
    "L": _list,
    "M": _map,
}

TYPES = tuple(_CHECKERS)
