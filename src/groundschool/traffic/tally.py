"""What happened to the requests: counted as they end, told once per second and at the end. Pure: time is passed in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from groundschool.traffic.latency import LatencyHistogram

MAX_REASONS = 50
"""Different failure reasons that are told apart; the rest is counted as OTHER_REASONS."""

OTHER_REASONS = "other reasons"


@dataclass(frozen=True)
class Outcome:
    """One ended request. ``latency`` in seconds from the moment it was meant to start (see docs/design/009-traffic.md).

    ``status`` is 0 and ``failure`` says why when there was no answer; ``instance`` is the X-Served-By header.
    """

    latency: float
    status: int
    failure: str | None = None
    instance: str | None = None
    received_bytes: int = 0


@dataclass(frozen=True)
class Latency:
    """Seconds."""

    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    mean: float = 0.0

    @classmethod
    def of(cls, histogram: LatencyHistogram) -> Latency:
        p50, p90, p95, p99 = (histogram.percentile(percent) for percent in (50, 90, 95, 99))
        return cls(p50, p90, p95, p99, histogram.longest, histogram.mean)


@dataclass(frozen=True)
class Snapshot:
    """One second of load. ``at`` and ``seconds``: when it ended since the start, and how long it really was.

    ``level`` is what was asked for (requests per second, or users). ``in_flight`` requests are sent and not answered;
    ``waiting`` ones are due but not sent, because every connection is busy.
    """

    at: float
    seconds: float
    level: float
    requests: int
    failures: int
    in_flight: int
    waiting: int
    latency: Latency
    served_by: dict[str, int]
    total_requests: int
    total_failures: int
    acknowledged_posts: int

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Snapshot:
        return cls(**(data | {"latency": Latency(**data["latency"])}))


@dataclass(frozen=True)
class LoadReport:
    """The whole run. ``statuses`` by HTTP status (0: no answer), ``failures`` by reason.

    ``remembered_posts`` of the ``acknowledged_posts`` have their id in the file; fewer only when the file is full.
    """

    seconds: float
    requests: int
    statuses: dict[str, int]
    failures: dict[str, int]
    latency: Latency
    served_by: dict[str, int]
    acknowledged_posts: int
    remembered_posts: int
    received_bytes: int
    connections: int

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LoadReport:
        return cls(**(data | {"latency": Latency(**data["latency"])}))


@dataclass
class _Counts:
    histogram: LatencyHistogram = field(default_factory=LatencyHistogram)
    failures: Counter[str] = field(default_factory=Counter)
    served_by: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> None:
        self.histogram.record(outcome.latency)
        if outcome.instance is not None:
            self.served_by[outcome.instance] += 1
        if outcome.failure is not None:
            known = outcome.failure in self.failures or len(self.failures) < MAX_REASONS
            self.failures[outcome.failure if known else OTHER_REASONS] += 1


@dataclass
class Tally:
    """Takes outcomes; gives a :class:`Snapshot` per second and one :class:`LoadReport`."""

    _run: _Counts = field(default_factory=_Counts)
    _second: _Counts = field(default_factory=_Counts)
    _statuses: Counter[int] = field(default_factory=Counter)
    _received_bytes: int = 0
    _told_at: float = 0.0

    def count(self, outcome: Outcome) -> None:
        self._run.count(outcome)
        self._second.count(outcome)
        self._statuses[outcome.status] += 1
        self._received_bytes += outcome.received_bytes

    def snapshot(
        self, at: float, level: float, in_flight: int = 0, waiting: int = 0, acknowledged_posts: int = 0
    ) -> Snapshot:
        """The outcomes since the last snapshot; starts the next one."""
        second, self._second = self._second, _Counts()
        started, self._told_at = self._told_at, at
        return Snapshot(
            at=at,
            seconds=at - started,
            level=level,
            requests=second.histogram.count,
            failures=second.failures.total(),
            in_flight=in_flight,
            waiting=waiting,
            latency=Latency.of(second.histogram),
            served_by=dict(second.served_by),
            total_requests=self._run.histogram.count,
            total_failures=self._run.failures.total(),
            acknowledged_posts=acknowledged_posts,
        )

    def report(
        self, seconds: float, acknowledged_posts: int = 0, remembered_posts: int = 0, connections: int = 0
    ) -> LoadReport:
        return LoadReport(
            seconds=seconds,
            requests=self._run.histogram.count,
            statuses={str(status): count for status, count in sorted(self._statuses.items())},
            failures=dict(self._run.failures.most_common()),
            latency=Latency.of(self._run.histogram),
            served_by=dict(sorted(self._run.served_by.items())),
            acknowledged_posts=acknowledged_posts,
            remembered_posts=remembered_posts,
            received_bytes=self._received_bytes,
            connections=connections,
        )
