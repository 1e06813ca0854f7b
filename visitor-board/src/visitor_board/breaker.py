"""A circuit breaker: while the table is away, fail at once, because health checks must find a free thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Opens after ``limit`` calls in a row that used up their deadline; then one call per ``pause`` seconds may try."""

    def __init__(self, limit: int = 3, pause: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._pause, self._clock = limit, pause, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._next_try = 0.0

    def admit(self) -> bool:
        """Whether a call may be made now."""
        if self._failures < self._limit:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_try:
                return False
            self._next_try = now + self._pause
            return True

    def record(self, answered: bool) -> None:
        """Tells how a call ended; a refusal by the table is an answer too."""
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            self._next_try = self._clock() + self._pause
