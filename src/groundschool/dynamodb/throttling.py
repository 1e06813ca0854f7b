"""Capacity as a teaching instrument: partitions, bursts and tables that throttle as AWS's do. Off by default.

AWS: developer guide, "Best practices for designing partition keys", "Burst and adaptive capacity", "On-demand capacity
mode". The number of partitions of a provisioned table is the larger of its read units / 3,000 and write units / 1,000;
an on-demand table starts with 4,000 writes and 12,000 reads per second and may double its previous peak, reached in
the last 30 minutes. Adaptive capacity between partitions is not modelled: what a hot key costs stays visible.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.tables.definition import TableDefinition
from groundschool.dynamodb.values.key_encoding import HASH_BYTES

PARTITION_UNITS = {"Read": 3000.0, "Write": 1000.0}
BURST_SECONDS = 300.0
NEW_TABLE_UNITS = {"Read": 12_000.0, "Write": 4_000.0}
PEAK_SECONDS = 1800.0


Key = TypeVar("Key", bound=Hashable)


class Throttle(Protocol):
    """Decides before a request whether there is capacity, and is told afterwards what was used."""

    def admit(self, table: TableDefinition, partition: bytes, kind: str, now: float) -> None: ...

    def charge(self, table: TableDefinition, partition: bytes, kind: str, units: float, now: float) -> None: ...


@dataclass(slots=True)
class _Bucket:
    """Capacity that refills at ``rate`` units a second up to ``depth``. A request may overdraw it once."""

    rate: float
    depth: float
    level: float
    filled_at: float

    def refill(self, now: float) -> float:
        self.level = min(self.depth, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        return self.level


@dataclass(slots=True)
class _Peak:
    """The highest units per second of an on-demand table, and the second being counted."""

    second: int = 0
    units: float = 0.0
    highest: float = 0.0
    raised_at: float = 0.0


@dataclass
class PartitionedCapacity:
    """The instrument. One per server; knows tables by their id, so a table made anew starts anew."""

    _partitions: dict[tuple[str, str, int], _Bucket] = field(default_factory=dict)
    _tables: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _peaks: dict[tuple[str, str], _Peak] = field(default_factory=dict)

    def admit(self, table: TableDefinition, partition: bytes, kind: str, now: float) -> None:
        """Raises ThrottlingException (on demand) or ProvisionedThroughputExceededException, with reasons."""
        if self._partition(table, partition, kind, now).refill(now) <= 0:
            raise _throttled(table, kind, "KeyRangeThroughputExceeded")
        if self._table(table, kind, now).refill(now) <= 0:
            limited = table.on_demand and (table.on_demand_limits or {}).get(_LIMIT_NAMES[kind], 0) > 0
            raise _throttled(table, kind, "MaxOnDemandThroughputExceeded" if limited else _table_reason(table))

    def charge(self, table: TableDefinition, partition: bytes, kind: str, units: float, now: float) -> None:
        self._partition(table, partition, kind, now).level -= units
        self._table(table, kind, now).level -= units
        if table.on_demand:
            self._note_peak(self._peaks.setdefault((table.table_id, kind), _Peak()), units, now)

    def _partition(self, table: TableDefinition, partition: bytes, kind: str, now: float) -> _Bucket:
        count = self.partition_count(table, now)
        number = int.from_bytes(partition[:HASH_BYTES], "big") * count >> (8 * HASH_BYTES)
        share = PARTITION_UNITS[kind]
        if not table.on_demand:
            share = min(share, _provisioned(table, kind) / count)
        key = (table.table_id, kind, number)
        return _bucket(self._partitions, key, share, PARTITION_UNITS[kind] if table.on_demand else share, now)

    def _table(self, table: TableDefinition, kind: str, now: float) -> _Bucket:
        rate = self.table_rate(table, kind, now)
        return _bucket(self._tables, (table.table_id, kind), rate, rate, now)

    def partition_count(self, table: TableDefinition, now: float) -> int:
        """How many partitions the table is spread over."""
        shares = (self.table_rate(table, kind, now) / PARTITION_UNITS[kind] for kind in PARTITION_UNITS)
        return max(1, *(int(-(-share // 1)) for share in shares))

    def table_rate(self, table: TableDefinition, kind: str, now: float) -> float:
        """Units per second the whole table takes."""
        if not table.on_demand:
            return _provisioned(table, kind)
        peak = self._peaks.get((table.table_id, kind))
        # The double of a peak counts once the peak is 30 minutes old: growing faster than that throttles.
        grown = 2 * peak.highest if peak is not None and now - peak.raised_at >= PEAK_SECONDS else 0.0
        limit = (table.on_demand_limits or {}).get(_LIMIT_NAMES[kind], 0)
        rate = max(NEW_TABLE_UNITS[kind], grown)
        return min(rate, limit) if limit > 0 else rate

    def _note_peak(self, peak: _Peak, units: float, now: float) -> None:
        if int(now) != peak.second:
            peak.second, peak.units = int(now), 0.0
        peak.units += units
        if peak.units > peak.highest:
            peak.highest, peak.raised_at = peak.units, now


_LIMIT_NAMES = {"Read": "MaxReadRequestUnits", "Write": "MaxWriteRequestUnits"}


def _provisioned(table: TableDefinition, kind: str) -> float:
    return float(table.throughput.read if kind == "Read" else table.throughput.write)


def _bucket(buckets: dict[Key, _Bucket], key: Key, rate: float, depth_rate: float, now: float) -> _Bucket:
    bucket = buckets.get(key)
    if bucket is None or bucket.rate != rate:
        bucket = buckets[key] = _Bucket(rate, depth_rate * BURST_SECONDS, depth_rate * BURST_SECONDS, now)
    return bucket


def _table_reason(table: TableDefinition) -> str:
    return "AccountLimitExceeded" if table.on_demand else "ProvisionedThroughputExceeded"


def _throttled(table: TableDefinition, kind: str, reason: str) -> ApiError:
    reasons = [{"reason": f"Table{kind}{reason}", "resource": table.arn}]
    if table.on_demand:
        return ApiError(
            "ThrottlingException",
            "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your "
            "table or index so please try again shortly. If exceptions persist, check if you have a hot key.",
            throttlingReasons=reasons,
        )
    return ApiError(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
        ThrottlingReasons=reasons,
    )
