"""NextToken: where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from groundschool.cloud.aws_error import AwsError

Item = TypeVar("Item")


def page(items: Sequence[Item], token: str | None, size: int) -> tuple[list[Item], str | None]:
    """The items from where ``token`` points, and the next token (None: this was the last page)."""
    start = offset_of(token)
    end = start + size
    return list(items[start:end]), token_of(end) if end < len(items) else None


def token_of(offset: int) -> str:
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def offset_of(token: str | None) -> int:
    """Raises InvalidNextToken for what :func:`token_of` did not make."""
    if token is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "from" and number.isdecimal():
            return int(number)
    except (binascii.Error, UnicodeError):
        pass
    raise AwsError("InvalidNextToken", "The service returned an error: the value of NextToken is invalid.")
