"""EC2's pagination: MaxResults and an opaque NextToken. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from groundschool.cloud.aws_error import AwsError

Row = TypeVar("Row")

_AFTER = b"after "
"""What a token of ours says, so that another one is not taken for the end of the list."""


def page(rows: Sequence[Row], params: Mapping[str, Any], name: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """The rows of this page and the token of the next one; ``name`` is unique and stable for each row.

    Raises AwsError InvalidNextToken for a token that is not one of ours, InvalidParameterValue for MaxResults below 1.
    """
    most = int(params.get("MaxResults", 1000))
    if most < 1:
        raise AwsError("InvalidParameterValue", f"Value ({most}) for parameter maxResults is invalid.")
    start = _position(rows, params.get("NextToken"), name)
    shown = list(rows[start : start + most])
    more = start + most < len(rows)
    return shown, _token(name(shown[-1])) if more else None


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(_AFTER + last.encode()).decode()


def _position(rows: Sequence[Row], token: str | None, name: Callable[[Row], str]) -> int:
    if not token:
        return 0
    try:
        decoded = base64.urlsafe_b64decode(token.encode())
        last = decoded.removeprefix(_AFTER).decode()
    except ValueError:
        decoded, last = b"", ""
    if not decoded.startswith(_AFTER):
        raise AwsError("InvalidNextToken", "The specified NextToken is not valid")
    for position, row in enumerate(rows):
        if name(row) == last:
            return position + 1
    return len(rows)
