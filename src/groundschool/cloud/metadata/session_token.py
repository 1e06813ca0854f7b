"""IMDSv2 session tokens. AWS: EC2 user guide, use IMDSv2: 1 second to 6 hours, valid on one instance only."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

MIN_TTL_SECONDS, MAX_TTL_SECONDS = 1, 21_600
_MOST_TOKENS = 1_000
"""Per instance; the oldest go first. A client that asks for a token per request must not fill the lab's memory."""


class SessionTokens:
    """The tokens of one instance. ``now`` is in real seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._expiry: dict[str, float] = {}
        self._guard = threading.Lock()

    def issue(self, ttl: str | None) -> str | None:
        """A new token; None (a 400) when the TTL is missing or out of range."""
        if ttl is None or not ttl.isascii() or not ttl.isdigit():
            return None
        seconds = int(ttl[:6])
        if not MIN_TTL_SECONDS <= seconds <= MAX_TTL_SECONDS:
            return None
        token = secrets.token_urlsafe(40)
        with self._guard:
            self._expiry[token] = self._now() + seconds
            while len(self._expiry) > _MOST_TOKENS:
                del self._expiry[next(iter(self._expiry))]
        return token

    def valid(self, token: str) -> bool:
        with self._guard:
            expiry = self._expiry.get(token)
            if expiry is not None and expiry <= self._now():
                del self._expiry[token]
                return False
            return expiry is not None
