"""One page of a Query or Scan: at most Limit items, at most 1 MB before any filter.

AWS: developer guide, "Paginating table query results": the page ends with the item that reaches 1 MB or Limit, and
then always names it in LastEvaluatedKey, even when nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from groundschool.dynamodb.api_error import ApiError, invalid_parameters, validation
from groundschool.dynamodb.capacity import Consumption, read_units, wants_capacity
from groundschool.dynamodb.expressions.legacy import ItemTest
from groundschool.dynamodb.expressions.projection import Projection
from groundschool.dynamodb.operations.request import Params
from groundschool.dynamodb.storage.rows import Row, Rows, Run, index_position
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.definition import KeySchema, SecondaryIndex
from groundschool.dynamodb.tables.item_key import key_of_request, stored_key
from groundschool.dynamodb.values import attribute_value
from groundschool.dynamodb.values.attribute_value import Item

PAGE_BYTES = 1024 * 1024

_BAD_START = "The provided starting key is invalid"


@dataclass(frozen=True, slots=True)
class Source:
    """The table or index a page is read from."""

    table: StoredTable
    index: SecondaryIndex | None

    @property
    def key(self) -> KeySchema:
        return self.table.definition.key if self.index is None else self.index.key

    @property
    def rows(self) -> Rows:
        return self.table.rows if self.index is None else self.table.index_rows[self.index.name]

    @property
    def position_names(self) -> tuple[str, ...]:
        """The attributes that tell one row from the next: the table's key, and the index's."""
        names = self.table.definition.key.names
        return names if self.index is None else tuple(dict.fromkeys((*names, *self.key.names)))


@dataclass(frozen=True, slots=True)
class Wish:
    """What of each item is wanted."""

    test: ItemTest | None
    projection: Projection | None
    count_only: bool
    whole_items: bool
    """Fetch every item of a local index from the table: it is asked for more than the index carries."""


@dataclass(slots=True)
class Page:
    """The answer's items as JSON, and what was read for them."""

    items: list[bytes]
    matched: int
    scanned: int
    size: int
    fetched_units: float
    last: bytes | None
    """The JSON of the last row read, when the page ended before the run did."""


def source_of(table: StoredTable, params: Params) -> Source:
    """Raises when the index is unknown, still being filled, or cannot be read consistently."""
    name = params.get("IndexName")
    if name is None:
        return Source(table, None)
    index = table.definition.index(name)
    if index is None:
        raise validation(f"The table does not have the specified index: {name}")
    if index.backfilling:
        raise validation(f"Cannot read from backfilling global secondary index: {name}")
    if index.is_global and params.get("ConsistentRead"):
        raise validation("Consistent reads are not supported on global secondary indexes")
    return Source(table, index)


def wish_of(source: Source, params: Params, test: ItemTest | None, projection: Projection | None) -> Wish:
    """Raises when Select contradicts the projection or the index."""
    select = params.get("Select")
    projected_by = "ProjectionExpression" if params.get("ProjectionExpression") is not None else "AttributesToGet"
    if projection is not None and select not in (None, "SPECIFIC_ATTRIBUTES"):
        wording = "COUNT" if select == "COUNT" else str(select)
        raise validation(f"Cannot specify the {projected_by} when choosing to get {wording}")
    if projection is None and select == "SPECIFIC_ATTRIBUTES":
        raise validation(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and source.index is None:
        raise validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    whole = _needs_whole_items(source, select, projection)
    return Wish(test, projection, select == "COUNT", whole)


def _needs_whole_items(source: Source, select: str | None, projection: Projection | None) -> bool:
    index = source.index
    if index is None or index.covers_everything():
        return False
    if select == "ALL_ATTRIBUTES":
        if index.is_global:
            raise invalid_parameters(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index "
                f"{index.name} because its projection type is not ALL"
            )
        return True
    if projection is None:
        return False
    known = index.projected_names(source.table.definition.key)
    missing = [str(path[0]) for path in projection.paths if path[0] not in known]
    if missing and index.is_global:
        raise invalid_parameters(f"Global secondary index {index.name} does not project [{', '.join(missing)}]")
    return bool(missing)


def start_position(source: Source, start: Item) -> tuple[bytes, ...]:
    """ExclusiveStartKey as a row position (partition key first). Raises when it cannot be one."""
    for value in start.values():
        try:
            attribute_value.check(value)
        except ApiError as error:
            raise validation(f"{_BAD_START}: {error.message}") from None
    if set(start) != set(source.position_names):
        detail = "" if source.index else ": The provided key element does not match the schema"
        raise validation(_BAD_START + detail)
    table_key = {name: start[name] for name in source.table.definition.key.names}
    try:
        position = key_of_request(source.table.definition.key, table_key)
        if source.index is None:
            return position
        return index_position(key_of_request(source.key, {name: start[name] for name in source.key.names}), position)
    except ApiError as error:
        raise validation(f"{_BAD_START}: {error.message}") from None


def read_page(source: Source, run: Run, limit: int | None, wish: Wish, *, consistent: bool) -> Page:
    """Reads rows until the run, the limit or the megabyte ends."""
    raw, size, ended = _take(source.rows.read(run, limit), limit)
    page = Page([], len(raw), len(raw), size, 0.0, raw[-1] if ended else None)
    if wish.test is None and wish.projection is None and not wish.whole_items:
        if not wish.count_only:
            page.items = raw
        return page
    items: Iterator[Item] = map(orjson.loads, raw)
    if wish.whole_items:
        items = _whole_items(source, items, page, consistent)
    if wish.test is not None:
        items = filter(wish.test, items)
    if wish.projection is not None:
        items = map(wish.projection.apply, items)
    encoded = list(map(orjson.dumps, items))
    page.matched = len(encoded)
    page.items = [] if wish.count_only else encoded
    return page


def _take(chunks: Iterator[list[Row]], limit: int | None) -> tuple[list[bytes], int, bool]:
    raw: list[bytes] = []
    size = 0
    for chunk in chunks:
        items, sizes = zip(*chunk, strict=True)
        total = size + sum(sizes)
        if total < PAGE_BYTES:
            raw += items
            size = total
            continue
        for json, item_size in chunk:
            raw.append(json)
            size += item_size
            if size >= PAGE_BYTES:
                return raw, size, True
    return raw, size, limit is not None and len(raw) == limit and bool(raw)


def _whole_items(source: Source, entries: Iterator[Item], page: Page, consistent: bool) -> Iterator[Item]:
    for entry in entries:
        row = source.table.get(stored_key(source.table.definition.key, entry))
        assert row is not None, "an index entry without its item"
        page.fetched_units += read_units(row[1], consistent=consistent)
        yield orjson.loads(row[0])


def consumption_of(source: Source, page: Page, *, consistent: bool) -> Consumption:
    """The sum of what was read, rounded up once; items fetched for a local index count one by one."""
    consumed = Consumption(source.table.definition.name, "Read")
    units = read_units(page.size, consistent=consistent)
    if source.index is None:
        consumed.on_table = units
    else:
        consumed.add_index(source.index, units)
        consumed.on_table = page.fetched_units
    return consumed


def answer(source: Source, page: Page, consumed: Consumption, wish: Wish, params: Params) -> bytes:
    """The JSON of the answer: the items are joined, not parsed."""
    members: list[bytes] = [b'"Count":%d,"ScannedCount":%d' % (page.matched, page.scanned)]
    if not wish.count_only:
        members.append(b'"Items":[' + b",".join(page.items) + b"]")
    if page.last is not None:
        members.append(b'"LastEvaluatedKey":' + orjson.dumps(_position(page.last, source.position_names)))
    if wanted := wants_capacity(params):
        members.append(b'"ConsumedCapacity":' + orjson.dumps(consumed.report(wanted)))
    return b"{" + b",".join(members) + b"}"


def _position(json: bytes, names: Sequence[str]) -> dict[str, Any]:
    item = orjson.loads(json)
    return {name: item[name] for name in names}
