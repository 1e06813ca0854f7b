"""Work beside requests, in small steps so that no request waits long for it: filling new indexes, expiring items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import orjson

from groundschool.dynamodb.storage.rows import Run
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.item_key import KeyBytes, stored_key
from groundschool.dynamodb.values.attribute_value import Item

_FILL_ROWS = 500
_EXPIRY_ROWS = 2000
_TOO_OLD_SECONDS = 5 * 365 * 86_400
"""AWS: developer guide, TTL: a time more than five years past is taken for a mistake and not acted on."""


class TableWalk:
    """Goes over all items of tables, a step at a time; where it stands is remembered by the table's storage."""

    def __init__(self, rows_per_step: int) -> None:
        self._rows_per_step = rows_per_step
        self._positions: dict[int, KeyBytes] = {}

    def step(self, table: StoredTable) -> Iterator[tuple[KeyBytes, bytes, int]]:
        """Key, JSON and size of the next items; the walk starts over after the last one."""
        storage_id = table.definition.storage_id
        run = Run(after=self._positions.get(storage_id))
        selection = table.rows.select(run, self._rows_per_step)
        rows = [row for chunk in table.rows.read(selection) for row in chunk]
        key: KeyBytes | None = None
        for json, size in rows:
            key = stored_key(table.definition.key, orjson.loads(json))
            yield key, json, size
        if len(rows) < self._rows_per_step or key is None:
            self._positions.pop(storage_id, None)
        else:
            self._positions[storage_id] = key

    def at_start(self, table: StoredTable) -> bool:
        """Whether the last step was the last of a round."""
        return table.definition.storage_id not in self._positions


class IndexFilling:
    """Copies existing items into new global indexes, then opens them for queries.

    A write that comes meanwhile keeps the new index right itself, so a step only adds what is missing. After a restart
    the walk begins again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk = TableWalk(_FILL_ROWS)
        self._filling: dict[int, frozenset[str]] = {}

    def step(self) -> None:
        for table in self._store.tables():
            fresh = frozenset(index.name for index in table.definition.indexes if index.backfilling)
            if fresh:
                self._fill(table, fresh)

    def _fill(self, table: StoredTable, fresh: frozenset[str]) -> None:
        storage_id = table.definition.storage_id
        if self._walk.at_start(table):
            # An index added in the middle of a round waits for the next one, to get all items.
            self._filling[storage_id] = fresh
        filling = [index for index in table.definition.indexes if index.name in self._filling[storage_id] & fresh]
        self._store.database.begin()
        for key, json, _ in self._walk.step(table):
            item = orjson.loads(json)
            for index in filling:
                table.fill_index(index, key, item)
        if self._walk.at_start(table):
            for index in filling:
                self._store.save(table.definition.with_index(replace(index, backfilling=False)))


class Expiry:
    """Removes items whose time to live has passed, walking over each table that has it enabled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk = TableWalk(_EXPIRY_ROWS)

    def step(self, now: float) -> None:
        """``now`` is Unix time in seconds."""
        for table in self._store.tables():
            attribute = table.definition.ttl_attribute
            if attribute is None:
                continue
            expired = [
                (key, json, size)
                for key, json, size in self._walk.step(table)
                if has_expired(orjson.loads(json), attribute, now)
            ]
            if expired:
                self._store.database.begin()
            for key, json, size in expired:
                table.delete(key, (json, size))


def has_expired(item: Item, attribute: str, now: float) -> bool:
    """Whether the item's time, a number of Unix seconds, lies before ``now``, and not more than five years before."""
    value = item.get(attribute)
    if value is None or "N" not in value:
        return False
    expires = Decimal(value["N"])
    return now - _TOO_OLD_SECONDS <= expires <= now
