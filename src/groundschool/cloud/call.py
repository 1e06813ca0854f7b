"""One AWS API call, decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Params = dict[str, Any]
"""The input of an operation in boto3's shape: the names and nesting of botocore's service model."""

Result = dict[str, Any]
"""The output of an operation in boto3's shape; timestamps are aware ``datetime`` values."""


@dataclass(frozen=True)
class Call:
    """Who asks for what, and where."""

    service: str
    operation: str
    region: str
    account_id: str
    access_key_id: str | None


Handler = Callable[[Call, Params], Result]
"""Answers one operation; raises :class:`~groundschool.cloud.aws_error.AwsError` when AWS would."""

Guard = Callable[[Call, Params], None]
"""Refuses, by raising AwsError, an operation on passive state that something alive forbids."""
