"""Latencies of any number of requests in bounded memory. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

PRECISION = 0.01
"""A percentile is at most this far from the true value, as a share of it."""

_SHORTEST = 1e-5
_LOG_STEP = math.log1p(2 * PRECISION)


@dataclass
class LatencyHistogram:
    """Counts in buckets whose width grows with the latency, as HdrHistogram does; seconds everywhere.

    From 10 µs to ten minutes there are about 900 buckets, whatever the number of requests. Latencies below 10 µs count
    as 10 µs.
    """

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    _buckets: Counter[int] = field(default_factory=Counter)

    def record(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        self._buckets[int(math.log(max(seconds, _SHORTEST) / _SHORTEST) / _LOG_STEP)] += 1

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """The latency that ``percent`` % of the requests did not exceed (nearest rank); 0 without requests."""
        rank, seen = math.ceil(self.count * percent / 100), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(_SHORTEST * math.exp((bucket + 0.5) * _LOG_STEP), self.longest)
        return self.longest
