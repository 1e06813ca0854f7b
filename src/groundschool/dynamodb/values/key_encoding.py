"""Key attributes as bytes that sort as DynamoDB sorts them."""

from __future__ import annotations

import hashlib
from base64 import b64decode

from groundschool.dynamodb.values import number
from groundschool.dynamodb.values.attribute_value import Value

HASH_BYTES = 4
"""The partition hash in front of every encoded partition key: scans, segments and capacity partitions follow it."""


def encode(value: Value, kind: str) -> bytes:
    """The sort-preserving bytes of a canonical S, N or B value."""
    if kind == "S":
        text: str = value["S"]
        return text.encode()
    if kind == "N":
        return number.to_key(value["N"])
    return b64decode(value["B"])


def partition(value: Value, kind: str) -> bytes:
    """The encoded partition key, led by its hash."""
    encoded = encode(value, kind)
    return hashlib.blake2b(encoded, digest_size=HASH_BYTES).digest() + encoded


def after_prefix(prefix: bytes) -> bytes | None:
    """The smallest bytes above everything that starts with ``prefix``; None when nothing is."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None
