"""What this instance tells about itself: Prometheus metrics, and whether the table answers."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable

from visitor_board.store_client import StoreError

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds."""


class Metrics:
    """Counters and latency histograms, labelled; rendered in Prometheus's text format."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        self._histograms: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * (len(_BUCKETS) + 3))

    def observe(self, name: str, labels: str, seconds: float) -> None:
        """Counts one event and its duration; ``labels`` is ready-made text: ``route="/",status="200"``."""
        slot = bisect_left(_BUCKETS, seconds)
        with self._lock:
            row = self._histograms[name, labels]
            row[slot] += 1
            row[-2] += 1
            row[-1] += seconds

    def observe_store(self, operation: str, outcome: str, seconds: float) -> None:
        """One attempt of a DynamoDB call; ``outcome`` is ok or AWS's error name."""
        self.observe("board_store_seconds", f'operation="{operation}",outcome="{outcome}"', seconds)

    def render(self) -> str:
        """The text a Prometheus server scrapes."""
        with self._lock:
            rows = sorted((key, list(row)) for key, row in self._histograms.items())
        lines = ["# TYPE board_info gauge", f'board_info{{instance="{self._instance}"}} 1']
        lines += ["# TYPE board_cpu_seconds_total counter", f"board_cpu_seconds_total {time.process_time():.3f}"]
        named = ""
        for (name, labels), row in rows:
            if name != named:
                lines.append(f"# TYPE {name} histogram")
                named = name
            total = 0.0
            for bound, count in zip((*map(str, _BUCKETS), "+Inf"), row[: len(_BUCKETS) + 1], strict=True):
                total += count
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total:.0f}')
            lines += [f"{name}_count{{{labels}}} {row[-2]:.0f}", f"{name}_sum{{{labels}}} {row[-1]:.6f}"]
        return "\n".join(lines) + "\n"


class Readiness:
    """Whether the table answers, asked at most once per ``keep`` seconds and by one thread at a time."""

    def __init__(
        self, probe: Callable[[], None], keep: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probe, self._keep, self._clock = probe, keep, clock
        self._lock = threading.Lock()
        self._state = "unknown"
        self._asked_at = float("-inf")

    def state(self) -> str:
        """``ok``, AWS's error name, or ``unknown`` before the first answer."""
        if self._clock() - self._asked_at < self._keep or not self._lock.acquire(blocking=False):
            return self._state
        try:
            self._probe()
            self._state = "ok"
        except StoreError as error:
            self._state = error.code
        finally:
            self._asked_at = self._clock()
            self._lock.release()
        return self._state
