"""Metric data in memory, bounded in time.

Times are lab seconds. Data are kept by minute, as CloudWatch's standard resolution keeps them; a period is a multiple
of 60 s and starts at a multiple of itself since the lab started. Not locked: the lab calls everything under its one
lock.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from groundschool.controlloop.alarm import Datapoint

MINUTE = 60
RETENTION = 24 * 3600.0
"""Lab seconds that data are kept. (AWS keeps one-minute data for 15 days.)"""
SIGNIFICANT_DIGITS = 3
"""How exactly values are kept for percentiles; bounds a minute to 900 different values per power of ten."""

SIMPLE_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)$")


@dataclass(frozen=True)
class MetricKey:
    """What makes a metric one: namespace, name and the set of its dimensions."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()

    def sorted_dimensions(self) -> list[tuple[str, str]]:
        return sorted(self.dimensions)


@dataclass(frozen=True)
class MetricData:
    """Values to put for one metric at one time. ``counts`` None: each value once."""

    key: MetricKey
    at: float
    values: tuple[float, ...]
    counts: tuple[float, ...] | None = None
    unit: str = "None"


@dataclass(frozen=True)
class StatisticSet:
    """A pre-aggregated set (AWS: ``StatisticValues``); it has no percentiles unless all its values are equal."""

    key: MetricKey
    at: float
    count: float
    total: float
    minimum: float
    maximum: float
    unit: str = "None"


@dataclass
class Aggregate:
    """Everything put for one metric in a span of time. ``values`` is None when percentiles cannot be told."""

    unit: str = "None"
    count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    values: Counter[float] | None = field(default_factory=Counter)

    def add(self, value: float, count: float) -> None:
        self.count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        if self.values is not None:
            self.values[_rounded(value)] += count  # type: ignore[assignment]  # AWS counts may be fractions

    def add_set(self, given: StatisticSet) -> None:
        if given.count == 1 or given.minimum == given.maximum:
            self.add(given.total / given.count, given.count)
            return
        self.count += given.count
        self.total += given.total
        self.minimum = min(self.minimum, given.minimum)
        self.maximum = max(self.maximum, given.maximum)
        self.values = None

    def merge(self, other: Aggregate) -> None:
        self.unit = other.unit
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if other.values is None:
            self.values = None
        elif self.values is not None:
            self.values.update(other.values)

    def statistic(self, name: str) -> float | None:
        """One of :data:`SIMPLE_STATISTICS` or ``pNN``; None when there is nothing to tell it from."""
        if not self.count:
            return None
        if name in SIMPLE_STATISTICS:
            return {
                "SampleCount": self.count,
                "Average": self.total / self.count,
                "Sum": self.total,
                "Minimum": self.minimum,
                "Maximum": self.maximum,
            }[name]
        return None if self.values is None else self._percentile(float(name[1:]))

    def _percentile(self, rank: float) -> float:
        """The smallest value that at least ``rank`` percent do not exceed, to :data:`SIGNIFICANT_DIGITS` digits."""
        assert self.values is not None
        wanted = self.count * rank / 100
        seen = 0.0
        for value in sorted(self.values):
            seen += self.values[value]
            if seen >= wanted - 1e-9:
                return min(max(value, self.minimum), self.maximum)
        return self.maximum


def is_statistic(name: str) -> bool:
    """Whether :meth:`Aggregate.statistic` knows ``name``."""
    return name in SIMPLE_STATISTICS or _PERCENTILE.match(name) is not None


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}")


class MetricStore:
    """Every metric of the lab."""

    def __init__(self, retention: float = RETENTION) -> None:
        self._retention = retention
        self._metrics: dict[MetricKey, dict[int, Aggregate]] = {}

    def put(self, data: Iterable[MetricData | StatisticSet]) -> None:
        """Add data to their minutes. Data older than the retention, seen from the newest of the same metric, go."""
        for given in data:
            minutes = self._metrics.setdefault(given.key, {})
            aggregate = minutes.setdefault(int(given.at // MINUTE), Aggregate())
            aggregate.unit = given.unit
            if isinstance(given, StatisticSet):
                aggregate.add_set(given)
            else:
                for value, count in zip(given.values, given.counts or (1.0,) * len(given.values), strict=True):
                    aggregate.add(value, count)
            self._forget(minutes, given.at)

    def forget_before(self, now: float) -> None:
        """Drop what is older than the retention, and metrics that have nothing left (their instance is long gone)."""
        for key, minutes in list(self._metrics.items()):
            self._forget(minutes, now)
            if not minutes:
                del self._metrics[key]

    def _forget(self, minutes: dict[int, Aggregate], now: float) -> None:
        """Minutes come in order but for stragglers, so looking at the first ones is enough."""
        oldest = int((now - self._retention) // MINUTE)
        while minutes and (first := next(iter(minutes))) < oldest:
            del minutes[first]

    def all(self) -> list[MetricKey]:
        """All metrics with data, in the order of namespace, name and dimensions."""
        return sorted(self._metrics, key=lambda key: (key.namespace, key.name, key.sorted_dimensions()))

    def newest(self, key: MetricKey) -> float | None:
        """The start of the last minute with data."""
        minutes = self._metrics.get(key)
        return max(minutes) * float(MINUTE) if minutes else None

    def aggregates(
        self, key: MetricKey, period: int, start: float, end: float, unit: str | None = None
    ) -> Mapping[float, Aggregate]:
        """Period start -> what was put in that period, for periods that start in [start, end), oldest first."""
        minutes = self._metrics.get(key, {})
        found: dict[float, Aggregate] = {}
        for minute in sorted(self._minutes_between(minutes, math.floor(start / period) * period, end)):
            begin = minute * MINUTE // period * period
            if begin < start or (unit is not None and minutes[minute].unit != unit):
                continue
            found.setdefault(float(begin), Aggregate()).merge(minutes[minute])
        return found

    def query(
        self, key: MetricKey, statistic: str, period: int, start: float, end: float, unit: str | None = None
    ) -> list[Datapoint]:
        """One statistic per period that has it."""
        aggregates = self.aggregates(key, period, start, end, unit)
        values = ((at, aggregate.statistic(statistic)) for at, aggregate in aggregates.items())
        return [Datapoint(at, value) for at, value in values if value is not None]

    @staticmethod
    def _minutes_between(minutes: Mapping[int, Aggregate], start: float, end: float) -> Iterable[int]:
        """An alarm looks at a few minutes of a day: whichever is shorter is walked through."""
        first, last = math.floor(start / MINUTE), math.ceil(end / MINUTE)
        if last - first < len(minutes):
            return (minute for minute in range(first, last) if minute in minutes)
        return (minute for minute in minutes if first <= minute < last)
