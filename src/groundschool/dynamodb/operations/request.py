"""What every operation is given beside its input."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from groundschool.dynamodb.api_error import validation
from groundschool.dynamodb.capacity import Consumption
from groundschool.dynamodb.meter import CapacityMeter
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.throttling import Throttle

Params = Mapping[str, Any]
Result = dict[str, Any] | bytes
"""A structure in wire form, or its JSON when the items in it were JSON already."""

_ARN = re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/(?P<name>[a-zA-Z0-9_.-]+)")
_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


class Request(NamedTuple):
    """Whose tables are meant, and when. ``now`` is Unix time in seconds, ``host`` the address the client used."""

    store: Store
    account_id: str
    region: str
    now: float
    host: str = ""
    throttle: Throttle | None = None
    meter: CapacityMeter | None = None

    @property
    def books(self) -> bool:
        """Whether somebody wants to know what is consumed, beside the client."""
        return self.meter is not None or self.throttle is not None

    def table(self, name_or_arn: str) -> StoredTable:
        """Raises ResourceNotFoundException."""
        return self.store.table(self.account_id, self.region, table_name(name_or_arn))

    def admit(self, table: StoredTable, partition: bytes, kind: str) -> None:
        """Raises a throttling error when the partition or the table has no capacity left."""
        if self.throttle is not None:
            self.throttle.admit(table.definition, partition, kind, self.now)

    def charge(self, table: StoredTable, partition: bytes, consumed: Consumption) -> None:
        """Books what an admitted request consumed."""
        if self.meter is not None:
            self.meter.add(table.definition.arn, consumed)
        if self.throttle is not None:
            self.throttle.charge(table.definition, partition, consumed.kind, consumed.total, self.now)


Operation = Callable[[Request, Params], Result]
Prepared = Callable[[Request], Result]
"""An operation whose parameters were looked at already."""


@lru_cache(maxsize=1024)
def table_name(name_or_arn: str) -> str:
    """The name; AWS takes a table's ARN wherever it takes its name."""
    match = _ARN.fullmatch(name_or_arn) if name_or_arn.startswith("arn:") else None
    name = match["name"] if match else name_or_arn
    if not _NAME.fullmatch(name):
        raise validation(
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain "
            "only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
        )
    return name
