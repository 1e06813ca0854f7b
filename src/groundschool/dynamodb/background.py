"""Work beside requests, in small steps so that no request waits long for it: filling new indexes, expiring items."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import orjson

from groundschool.dynamodb.storage.rows import Row, Run
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.item_key import KeyBytes, stored_key
from groundschool.dynamodb.values.attribute_value import Item

FILL_ROWS = 100
"""Of a table, at a step: requests wait for about 1.3 ms meanwhile."""
EXPIRY_ROWS = 200
"""Of all tables together, at a step: 0.1 to 0.5 ms, and 1.2 ms when all of them have expired. AWS takes up to days."""
_TOO_OLD_SECONDS = 5 * 365 * 86_400
"""AWS: developer guide, TTL: a time more than five years past is taken for a mistake and not acted on."""


class TableWalk:
    """Goes over all items of tables, a few at a time; where it stands in each is kept here."""

    def __init__(self) -> None:
        self._positions: dict[int, KeyBytes] = {}

    def next_rows(self, table: StoredTable, limit: int) -> list[Row]:
        """At most ``limit`` rows; the walk starts over after the last one."""
        storage_id = table.definition.storage_id
        selection = table.rows.select(Run(after=self._positions.get(storage_id)), limit)
        rows = [row for chunk in table.rows.read(selection) for row in chunk]
        if len(rows) < limit:
            self._positions.pop(storage_id, None)
        else:
            self._positions[storage_id] = stored_key(table.definition.key, orjson.loads(rows[-1][0]))
        return rows

    def at_start(self, table: StoredTable) -> bool:
        """Whether the last rows were the last of a round."""
        return table.definition.storage_id not in self._positions


class IndexFilling:
    """Copies existing items into new global indexes, then opens them for queries.

    A write that comes meanwhile keeps the new index right itself, so a step only adds what is missing. After a restart
    the walk begins again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk = TableWalk()
        self._filling: dict[int, frozenset[str]] = {}

    def step(self) -> bool:
        """Whether there was something to fill, so that another step is worth taking at once."""
        for table in self._store.tables():
            fresh = frozenset(index.name for index in table.definition.indexes if index.backfilling)
            if fresh:
                self._fill(table, fresh)
                return True
        return False

    def _fill(self, table: StoredTable, fresh: frozenset[str]) -> None:
        storage_id = table.definition.storage_id
        if self._walk.at_start(table):
            # An index added in the middle of a round waits for the next one, to get all items.
            self._filling[storage_id] = fresh
        filling = [index for index in table.definition.indexes if index.name in self._filling[storage_id] & fresh]
        self._store.database.begin()
        for json, _ in self._walk.next_rows(table, FILL_ROWS):
            item = orjson.loads(json)
            for index in filling:
                table.fill_index(index, stored_key(table.definition.key, item), item)
        if self._walk.at_start(table):
            for index in filling:
                self._store.save(table.definition.with_index(replace(index, backfilling=False)))


class Expiry:
    """Removes items whose time to live has passed, walking over each table that has it enabled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk = TableWalk()
        self._latest = 0
        """The table that used up the last step; the next step begins with the one after it."""

    def step(self, now: float) -> None:
        """``now`` is Unix time in seconds."""
        tables = [table for table in self._store.tables() if table.definition.ttl_attribute is not None]
        tables.sort(key=lambda table: (table.definition.storage_id <= self._latest, table.definition.storage_id))
        left = EXPIRY_ROWS
        for table in tables:
            rows = self._walk.next_rows(table, left)
            self._remove_expired(table, rows, now)
            left -= len(rows)
            if left == 0:
                self._latest = table.definition.storage_id
                return

    def _remove_expired(self, table: StoredTable, rows: list[Row], now: float) -> None:
        attribute = table.definition.ttl_attribute
        assert attribute is not None
        name = orjson.dumps(attribute)
        for json, size in rows:
            if name not in json:  # parsing all items would be most of a step
                continue
            item = orjson.loads(json)
            if has_expired(item, attribute, now):
                self._store.database.begin()
                table.delete(stored_key(table.definition.key, item), (json, size))


def has_expired(item: Item, attribute: str, now: float) -> bool:
    """Whether the item's time, a number of Unix seconds, lies before ``now``, and not more than five years before."""
    value = item.get(attribute)
    if value is None or "N" not in value:
        return False
    expires = Decimal(value["N"])
    return now - _TOO_OLD_SECONDS <= expires <= now
