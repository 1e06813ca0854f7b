"""Capacity units: what a read or a write of so many bytes costs.

AWS: developer guide, "Read and write operations": a strongly consistent read of 4 KB is one unit and an eventually
consistent one half of it; a write of 1 KB is one unit; transactions cost double. Sizes round up; a missing item counts
as one unit's worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundschool.dynamodb.storage.stored_table import IndexWrite
from groundschool.dynamodb.tables.definition import SecondaryIndex

_READ_BYTES = 4096
_WRITE_BYTES = 1024


def read_units(size: int, *, consistent: bool = False, transactional: bool = False) -> float:
    """Read request units for ``size`` bytes."""
    blocks = max(1, -(-size // _READ_BYTES))
    return blocks * (2.0 if transactional else 1.0 if consistent else 0.5)


def write_units(size: int, *, transactional: bool = False) -> float:
    """Write request units for ``size`` bytes, the larger of the item before and after."""
    blocks = max(1, -(-size // _WRITE_BYTES))
    return blocks * (2.0 if transactional else 1.0)


@dataclass(slots=True)
class Consumption:
    """Units one table consumed in a request, by place. ``kind`` is ``Read`` or ``Write``."""

    table: str
    kind: str
    on_table: float = 0.0
    on_local: dict[str, float] = field(default_factory=dict)
    on_global: dict[str, float] = field(default_factory=dict)

    def add_index(self, index: SecondaryIndex, units: float) -> None:
        place = self.on_global if index.is_global else self.on_local
        place[index.name] = place.get(index.name, 0.0) + units

    def add_index_writes(self, writes: Sequence[IndexWrite], *, transactional: bool = False) -> None:
        for write in writes:
            for size in write.sizes:
                self.add_index(write.index, write_units(size, transactional=transactional))

    def add(self, other: Consumption) -> None:
        """Books what another operation on the same table consumed."""
        self.on_table += other.on_table
        for mine, theirs in ((self.on_local, other.on_local), (self.on_global, other.on_global)):
            for name, units in theirs.items():
                mine[name] = mine.get(name, 0.0) + units

    @property
    def total(self) -> float:
        return self.on_table + sum(self.on_local.values()) + sum(self.on_global.values())

    def report(self, wanted: str, *, transactional: bool = False) -> dict[str, Any]:
        """A ConsumedCapacity structure; ``wanted`` is TOTAL or INDEXES."""
        answer = {"TableName": self.table, **self._units(self.total, transactional)}
        if wanted == "INDEXES":
            answer["Table"] = self._units(self.on_table, transactional)
            for name, places in (("LocalSecondaryIndexes", self.on_local), ("GlobalSecondaryIndexes", self.on_global)):
                if places:
                    answer[name] = {index: self._units(units, transactional) for index, units in places.items()}
        return answer

    def _units(self, units: float, transactional: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {"CapacityUnits": units}
        if transactional:
            answer[f"{self.kind}CapacityUnits"] = units
        return answer


def wants_capacity(params: Mapping[str, Any]) -> str | None:
    """TOTAL or INDEXES when the request asks for ConsumedCapacity."""
    wanted = params.get("ReturnConsumedCapacity")
    return wanted if wanted in ("TOTAL", "INDEXES") else None
