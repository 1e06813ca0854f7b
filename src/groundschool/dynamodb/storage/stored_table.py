"""A table with its rows: one write changes the item, its index entries and the counts together."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from groundschool.dynamodb.storage.database import Database
from groundschool.dynamodb.storage.rows import IndexRows, Row, Rows, index_position
from groundschool.dynamodb.tables.definition import SecondaryIndex, TableDefinition
from groundschool.dynamodb.tables.item_key import KeyBytes, stored_key
from groundschool.dynamodb.values.attribute_value import Item, check_item


@dataclass(slots=True)
class Counts:
    """Number of items and the sum of their sizes in bytes."""

    items: int
    size: int


@dataclass(frozen=True, slots=True)
class IndexWrite:
    """What a write did to one index, for its capacity: sizes in bytes of the entries put and removed."""

    index: SecondaryIndex
    sizes: tuple[int, ...]


class StoredTable:
    """The rows of one table and of its indexes. Callers open the write group."""

    def __init__(self, database: Database, definition: TableDefinition) -> None:
        self._database = database
        self.definition = definition
        self.rows = Rows(database, f"items_{definition.storage_id}")
        self.index_rows: dict[str, IndexRows] = {}
        self._counts: dict[str, Counts | None] = {}
        self.redefine(definition)

    def redefine(self, definition: TableDefinition) -> None:
        """Takes a changed definition; rows of new indexes must exist already."""
        self.definition = definition
        self.index_rows = {
            index.name: IndexRows(self._database, f"index_{index.storage_id}") for index in definition.indexes
        }
        # An index of the same name, made later, is another index.
        for name in self._counts.keys() - self.index_rows.keys() - {""}:
            del self._counts[name]

    def get(self, key: KeyBytes) -> Row | None:
        return self.rows.get(key)

    def put(self, key: KeyBytes, old: Row | None, item: Item, size: int) -> list[IndexWrite]:
        """Stores a checked item over ``old``, which is the row now at ``key``."""
        json = orjson.dumps(item)
        self.rows.put(key, json, size)
        self._count("", old, size)
        if not self.index_rows:
            return []
        return self._write_indexes(key, None if old is None else orjson.loads(old[0]), item)

    def delete(self, key: KeyBytes, old: Row) -> list[IndexWrite]:
        """Removes the row now at ``key``."""
        self.rows.delete(key)
        self._count("", old, None)
        return self._write_indexes(key, orjson.loads(old[0]), None) if self.index_rows else []

    def counts(self, index_name: str = "") -> Counts:
        """Of the table, or of one index. The first call after a start reads all rows; later ones cost nothing."""
        counts = self._counts.get(index_name)
        if counts is None:
            rows = self.index_rows[index_name] if index_name else self.rows
            counts = self._counts[index_name] = Counts(*rows.count())
        return counts

    def _count(self, index_name: str, old: Row | None, new_size: int | None) -> None:
        counts = self._counts.get(index_name)
        if counts is not None:
            counts.items += (new_size is not None) - (old is not None)
            counts.size += (new_size or 0) - (0 if old is None else old[1])

    def _write_indexes(self, key: KeyBytes, old: Item | None, new: Item | None) -> list[IndexWrite]:
        writes = []
        for index in self.definition.indexes:
            before = None if old is None else self._entry(index, key, old)
            after = None if new is None else self._entry(index, key, new)
            if before != after:
                writes.append(self._write_entry(index, before, after))
        return writes

    def _write_entry(self, index: SecondaryIndex, before: _Entry | None, after: _Entry | None) -> IndexWrite:
        rows = self.index_rows[index.name]
        moved = before is not None and (after is None or after.position != before.position)
        sizes = []
        # An index that is still being filled may not have the old entry yet.
        known = before is not None and not (index.backfilling and rows.get(before.position) is None)
        if before is not None and moved:
            rows.delete(before.position)
            sizes.append(before.size)
        if after is not None:
            rows.put(after.position, after.json, after.size)
            sizes.append(after.size if moved or before is None else max(after.size, before.size))
        old = (before.json, before.size) if before is not None and known else None
        self._count(index.name, old, None if after is None else after.size)
        return IndexWrite(index, tuple(sizes))

    def _entry(self, index: SecondaryIndex, key: KeyBytes, item: Item) -> _Entry | None:
        if not index.holds(item):
            return None
        entry = item
        if not index.covers_everything():
            names = index.projected_names(self.definition.key)
            entry = {name: value for name, value in item.items() if name in names}
        position = index_position(stored_key(index.key, item), key)
        return _Entry(position, orjson.dumps(entry), check_item(entry))

    def fill_index(self, index: SecondaryIndex, key: KeyBytes, item: Item) -> None:
        """Copies one existing item into a new index."""
        entry = self._entry(index, key, item)
        if entry is not None and self.index_rows[index.name].get(entry.position) is None:
            self.index_rows[index.name].put(entry.position, entry.json, entry.size)
            self._count(index.name, None, entry.size)


@dataclass(frozen=True, slots=True)
class _Entry:
    position: tuple[bytes, bytes, bytes, bytes]
    json: bytes
    size: int
