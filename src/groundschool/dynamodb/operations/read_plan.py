"""What a Query or Scan reads: decided from its parameters and the table's definition, before any row is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from groundschool.dynamodb.api_error import ApiError, invalid_parameters, validation
from groundschool.dynamodb.capacity import wants_capacity
from groundschool.dynamodb.expressions.legacy import ItemTest
from groundschool.dynamodb.expressions.projection import Projection
from groundschool.dynamodb.operations.request import Params
from groundschool.dynamodb.storage.rows import ROWS_AT_A_TIME, Rows, Run, Selection, index_position
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.definition import KeySchema, SecondaryIndex, TableDefinition
from groundschool.dynamodb.tables.item_key import key_of_request
from groundschool.dynamodb.values import attribute_value
from groundschool.dynamodb.values.attribute_value import Item

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


class Wish(NamedTuple):
    """What of each item is wanted."""

    test: ItemTest | None
    projection: Projection | None
    count_only: bool
    whole_items: bool
    """Fetch every item of a local index from the table: it is asked for more than the index carries."""


class ReadPlan(NamedTuple):
    """A Query or Scan of one table as that table is defined now. Nothing in it depends on the rows."""

    source: Source
    definition: TableDefinition
    run: Run
    selection: Selection
    sized: bool
    """Whether the selection tells sizes: it need not when few rows are wanted and nobody asks what they cost."""
    limit: int | None
    wish: Wish
    consistent: bool
    capacity: str | None
    """TOTAL or INDEXES when ConsumedCapacity is asked for."""
    booked_on: bytes
    """The encoded partition key whose capacity the read is taken from."""

    def holds_for(self, table: StoredTable) -> bool:
        """Whether this is the plan's table, and defined as it was then."""
        return self.source.table is table and self.definition is table.definition

    def with_sizes(self) -> ReadPlan:
        """This plan, its selection telling sizes."""
        if self.sized:
            return self
        return self._replace(selection=self.source.rows.select(self.run, self.limit), sized=True)


def plan_read(source: Source, run: Run, wish: Wish, params: Params, *, booked_on: bytes) -> ReadPlan:
    limit = params.get("Limit")
    capacity = wants_capacity(params)
    sized = capacity is not None or limit is None or limit > ROWS_AT_A_TIME
    return ReadPlan(
        source,
        source.table.definition,
        run,
        source.rows.select(run, limit, sizes=sized),
        sized,
        limit,
        wish,
        bool(params.get("ConsistentRead")),
        capacity,
        booked_on,
    )


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
