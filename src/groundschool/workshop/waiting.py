"""Waiting for a condition: quick at first, patient later, never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import ClientError

from groundschool.errors import BuildError

T = TypeVar("T")

THROTTLED = frozenset(
    ("Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled", "TooManyRequestsException")
)
"""AWS's error codes for *not now*: the call had no effect, so it may simply be made again."""


@dataclass(frozen=True)
class Wait:
    """Real seconds. ``shortest`` and ``longest`` bound the pause between two looks."""

    timeout: float
    shortest: float
    longest: float

    def pause(self, elapsed: float) -> float:
        """A tenth of what has passed: a wait is never more than about 10 % longer than it had to be, and AWS, where
        things take minutes, is not asked five times a second."""
        return min(max(elapsed / 10, self.shortest), self.longest)


def wait_for(
    what: str,
    ready: Callable[[], T | None],
    wait: Wait,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """The first thing ``ready`` returns that is neither None nor False; BuildError when ``what`` never comes.

    Being throttled, after botocore's own attempts, is one more reason to look again later.
    """
    started = monotonic()
    while True:
        found = unless_throttled(ready)
        if found is not None and found is not False:
            return found
        elapsed = monotonic() - started
        if elapsed >= wait.timeout:
            raise BuildError(f"Waited {wait.timeout:.0f} s for {what}, in vain. See what is there: ground check")
        sleep(wait.pause(elapsed))


def unless_throttled(look: Callable[[], T | None]) -> T | None:
    try:
        return look()
    except ClientError as error:
        if error.response["Error"].get("Code") not in THROTTLED:
            raise
        return None
