"""What every table has consumed since this process started: the truth behind CloudWatch's Consumed...CapacityUnits.

Only ever counts up, so that who asks takes differences, and a lost answer loses nothing.
"""

from __future__ import annotations

from typing import Any

from groundschool.dynamodb.capacity import Consumption

TARGET = "GroundSchool.ConsumedCapacity"
"""The request target that answers :meth:`CapacityMeter.report`; it has no input."""


class CapacityMeter:
    def __init__(self) -> None:
        self._counted: dict[tuple[str, str | None, str], list[float]] = {}

    def add(self, table_arn: str, consumed: Consumption) -> None:
        """Counts one request's units, those of each global index apart as in CloudWatch's dimensions."""
        self._count(table_arn, None, consumed.kind, consumed.on_table + sum(consumed.on_local.values()))
        for index, units in consumed.on_global.items():
            self._count(table_arn, index, consumed.kind, units)

    def _count(self, table_arn: str, index: str | None, kind: str, units: float) -> None:
        counted = self._counted.setdefault((table_arn, index, kind), [0.0, 0])
        counted[0] += units
        counted[1] += 1

    def report(self) -> dict[str, Any]:
        """``Kind`` is Read or Write, ``IndexName`` null for the table itself."""
        return {
            "Consumed": [
                {"TableArn": table_arn, "IndexName": index, "Kind": kind, "Units": units, "Requests": requests}
                for (table_arn, index, kind), (units, requests) in self._counted.items()
            ]
        }
