"""IAM policy evaluation for identity-based policies. Pure.

AWS: IAM user guide, policy evaluation logic: an explicit Deny wins, otherwise an Allow is needed. Conditions are not
evaluated: a statement that has one never allows, and always denies, so that the lab is never more generous than AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

ANY_RESOURCE = "*"
"""Asked for when the lab cannot tell the resource of a request: then a statement for any resource allows."""


class Verdict(StrEnum):
    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    NO_ALLOW = "no identity-based policy allows"


def evaluate(statements: Iterable[Mapping[str, Any]], action: str, resource: str) -> Verdict:
    """``action`` as ``dynamodb:Query``; ``resource`` an ARN or :data:`ANY_RESOURCE`."""
    verdict = Verdict.NO_ALLOW
    for statement in statements:
        if not _covers(statement, action, resource):
            continue
        if statement.get("Effect") == "Deny":
            return Verdict.EXPLICIT_DENY
        if not statement.get("Condition"):
            verdict = Verdict.ALLOWED
    return verdict


def _covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if "NotAction" in statement:
        if _any_matches(statement["NotAction"], action, ignore_case=True):
            return False
    elif not _any_matches(statement.get("Action", ()), action, ignore_case=True):
        return False
    if "NotResource" in statement:
        return not _any_matches(statement["NotResource"], resource)
    return resource == ANY_RESOURCE or _any_matches(statement.get("Resource", ()), resource)


def _any_matches(patterns: str | Iterable[str], text: str, *, ignore_case: bool = False) -> bool:
    listed = (patterns,) if isinstance(patterns, str) else patterns
    return any(_compiled(pattern, ignore_case).fullmatch(text) for pattern in listed)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)
