"""Who may do what: an authoriser is asked with access key, action and resource, and answers with a verdict.

Standing alone the store takes any credentials. In the lab it follows a policy file, which the lab replaces whole
whenever roles or credentials change::

    {"account_id": "123456789012",
     "root_keys": ["AKIA..."],
     "keys": {"ASIA...": {"principal_arn": "arn:aws:sts::123456789012:assumed-role/R/i-0abc",
                          "statements": [{"Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*"}]}}}
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from groundschool.dynamodb.api_error import ApiError

LOOK_AGAIN_SECONDS = 0.05
"""How old the view of the policy file may be, in real seconds."""


class Decision(StrEnum):
    """Why a request may or may not go on."""

    ALLOWED = "allowed"
    UNKNOWN_KEY = "unknown access key"
    NOT_ALLOWED = "no statement allows it"
    EXPLICITLY_DENIED = "a statement denies it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, and the principal it is about (empty when the key is unknown)."""

    decision: Decision
    principal_arn: str = ""


ALLOWED = Verdict(Decision.ALLOWED)


def refusal(verdict: Verdict, action: str, resource_arn: str) -> ApiError:
    """The error AWS answers with."""
    if verdict.decision is Decision.UNKNOWN_KEY:
        return ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
    reason = (
        "with an explicit deny in an identity-based policy"
        if verdict.decision is Decision.EXPLICITLY_DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    return ApiError(
        "AccessDeniedException",
        f"User: {verdict.principal_arn} is not authorized to perform: {action} on resource: {resource_arn} {reason}",
    )


@dataclass(frozen=True)
class Policies:
    """The content of a policy file."""

    account_id: str | None = None
    root_keys: frozenset[str] = frozenset()
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def decide(self, access_key_id: str, action: str, resource_arn: str) -> Verdict:
        """Pure. An explicit deny wins over any allow; without either nothing is allowed."""
        if access_key_id in self.root_keys:
            return ALLOWED
        entry = self.keys.get(access_key_id)
        if entry is None:
            return Verdict(Decision.UNKNOWN_KEY)
        effects = {
            statement.get("Effect") for statement in entry["statements"] if _applies(statement, action, resource_arn)
        }
        if "Deny" in effects:
            return Verdict(Decision.EXPLICITLY_DENIED, entry["principal_arn"])
        return Verdict(Decision.ALLOWED if "Allow" in effects else Decision.NOT_ALLOWED, entry["principal_arn"])


def _applies(statement: Mapping[str, Any], action: str, resource_arn: str) -> bool:
    if "Condition" in statement and statement.get("Effect") == "Allow":
        # Conditions are not evaluated here: an allowance that depends on one is not given.
        return False
    return _matches(statement, "Action", action, re.IGNORECASE) and _matches(statement, "Resource", resource_arn, 0)


def _matches(statement: Mapping[str, Any], element: str, value: str, flags: int) -> bool:
    if element in statement:
        return any(_wildcard(pattern, value, flags) for pattern in _listed(statement[element]))
    excluded = statement.get(f"Not{element}")
    return excluded is not None and not any(_wildcard(pattern, value, flags) for pattern in _listed(excluded))


def _listed(element: str | Sequence[str]) -> Sequence[str]:
    return [element] if isinstance(element, str) else element


def _wildcard(pattern: str, value: str, flags: int) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, flags) is not None


class PolicyFile:
    """An authoriser that follows a file. Verdicts are remembered until the file changes.

    A file that is missing or half-written keeps the policies that were read last; before the first good read nobody is
    known.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked_at = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._policies = Policies()
        self._verdicts: dict[tuple[str, str, str], Verdict] = {}

    def __call__(self, access_key_id: str, action: str, resource_arn: str) -> Verdict:
        policies = self.policies()
        question = (access_key_id, action, resource_arn)
        verdict = self._verdicts.get(question)
        if verdict is None:
            verdict = self._verdicts[question] = policies.decide(*question)
        return verdict

    def policies(self) -> Policies:
        """What the file says, as of at most 50 ms ago."""
        now = self._clock()
        if now - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._looked_at = now
            self._look()
        return self._policies

    def _look(self) -> None:
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return
            content = orjson.loads(self._path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return
        self._seen = seen
        self._policies = Policies(
            content.get("account_id"), frozenset(content.get("root_keys", ())), content.get("keys", {})
        )
        self._verdicts.clear()
