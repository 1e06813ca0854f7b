"""Puts, updates and deletes of one item, the same alone, in a batch and in a transaction.

A write is first *prepared* (the item read, its condition asked, the new item computed and measured: everything that
can be refused) and then *applied*. A transaction prepares all of its writes before it applies the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from groundschool.dynamodb.api_error import ApiError, conditional_check_failed, invalid_parameters, validation
from groundschool.dynamodb.capacity import Consumption, write_units
from groundschool.dynamodb.expressions import legacy
from groundschool.dynamodb.expressions.condition import CompiledCondition
from groundschool.dynamodb.expressions.parameters import ExpressionParameters, refuse_mixed_styles
from groundschool.dynamodb.expressions.syntax import Path
from groundschool.dynamodb.expressions.update import Change, CompiledUpdate, apply_changes
from groundschool.dynamodb.operations.request import Params, Request
from groundschool.dynamodb.storage.rows import Row
from groundschool.dynamodb.storage.stored_table import IndexWrite, StoredTable
from groundschool.dynamodb.tables.definition import TableDefinition
from groundschool.dynamodb.tables.item_key import KeyBytes, check_index_keys, key_of_item, key_of_request
from groundschool.dynamodb.values.attribute_value import Item, check_item

MAX_ITEM_BYTES = 409_600
"""AWS: service quotas, "Items": 400 KB, names included."""

_DIRECT_WRITE = "Item size has exceeded the maximum allowed size"
_UPDATE = "Item size to update has exceeded the maximum allowed size"


class ItemWrite(NamedTuple):
    """A write that was checked as far as that is possible without the item.

    ``changes`` computes an update from the old item; ``item`` is what a put stores; with neither it is a delete, or a
    mere condition check when ``check_only``.
    """

    table: StoredTable
    key: KeyBytes
    condition: legacy.ItemTest | None = None
    item: Item | None = None
    item_size: int = 0
    key_attributes: Item | None = None
    changes: Callable[[Item], list[Change]] | None = None
    paths: tuple[Path, ...] = ()
    check_only: bool = False
    return_on_failure: bool = False


class PreparedWrite(NamedTuple):
    """A write that will succeed: the row before, and the item after."""

    write: ItemWrite
    row: Row | None
    old: Item | None
    new: Item | None
    size: int


def put(request: Request, params: Params) -> ItemWrite:
    """A Put from the input of PutItem, or of a member of TransactWriteItems."""
    condition = _condition(params)
    size = check_item(params["Item"])
    if size > MAX_ITEM_BYTES:
        raise validation(_DIRECT_WRITE)
    table = request.table(params["TableName"])
    item: Item = params["Item"]
    key = key_of_item(table.definition.key, item)
    if table.definition.indexes:
        check_index_keys(table.definition, item)
    return ItemWrite(table, key, _bound(condition, table), item, size, return_on_failure=_wants_item_on_failure(params))


def delete(request: Request, params: Params) -> ItemWrite:
    """A Delete from the input of DeleteItem, or of a member of TransactWriteItems."""
    return _by_key(request, params, check_only=False)


def condition_check(request: Request, params: Params) -> ItemWrite:
    """A ConditionCheck of TransactWriteItems."""
    return _by_key(request, params, check_only=True)


def _by_key(request: Request, params: Params, *, check_only: bool) -> ItemWrite:
    condition = _condition(params)
    table = request.table(params["TableName"])
    key = key_of_request(table.definition.key, params["Key"])
    return ItemWrite(
        table,
        key,
        _bound(condition, table),
        key_attributes=params["Key"],
        check_only=check_only,
        return_on_failure=_wants_item_on_failure(params),
    )


def update(request: Request, params: Params) -> ItemWrite:
    """An Update from the input of UpdateItem, or of a member of TransactWriteItems."""
    refuse_mixed_styles(
        params,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", "Expected", "ConditionalOperator"),
    )
    expressions = ExpressionParameters(params)
    text = params.get("UpdateExpression")
    compiled = None if text is None else expressions.update(text)
    condition = _conditions_of(params, expressions)
    expressions.finish()
    updates = params.get("AttributeUpdates") or {}
    legacy.check_attribute_updates(updates)
    table = request.table(params["TableName"])
    paths = compiled.paths if compiled is not None else tuple((name,) for name in updates)
    key = key_of_request(table.definition.key, params["Key"])
    _refuse_key_changes(table.definition, paths)
    return ItemWrite(
        table,
        key,
        _bound(condition, table),
        key_attributes=params["Key"],
        changes=_changes(compiled, expressions, updates),
        paths=paths,
        return_on_failure=_wants_item_on_failure(params),
    )


def _changes(
    compiled: CompiledUpdate | None, expressions: ExpressionParameters, updates: Params
) -> Callable[[Item], list[Change]]:
    if compiled is not None:
        return lambda item: compiled.changes(item, expressions.values)
    return lambda item: legacy.attribute_changes(updates, item)


_CONDITIONAL = frozenset(
    {
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "Expected",
        "ConditionalOperator",
    }
)
_Condition = tuple[CompiledCondition | None, ExpressionParameters, legacy.ItemTest | None]


def _condition(params: Params) -> _Condition | None:
    if params.keys().isdisjoint(_CONDITIONAL):
        return None
    refuse_mixed_styles(params, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    expressions = ExpressionParameters(params)
    condition = _conditions_of(params, expressions)
    expressions.finish()
    return condition


def _conditions_of(params: Params, expressions: ExpressionParameters) -> _Condition:
    compiled = expressions.condition("ConditionExpression", params.get("ConditionExpression"))
    expected = legacy.expected_test(params.get("Expected"), params.get("ConditionalOperator"))
    return compiled, expressions, expected


def _bound(condition: _Condition | None, table: StoredTable) -> legacy.ItemTest | None:
    if condition is None:
        return None
    compiled, expressions, expected = condition
    if compiled is None:
        return expected
    refuse_nested_keys(table.definition, compiled.paths)
    matches, values = compiled.matches, expressions.values
    return lambda item: matches(item, values)


def refuse_nested_keys(definition: TableDefinition, paths: tuple[Path, ...]) -> None:
    """Key attributes are scalars: a path may not lead into them."""
    nested = {path[0] for path in paths if len(path) > 1}
    if not nested:
        return
    reason = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
    for name in definition.key.names:
        if name in nested:
            raise validation(f"{reason}Key: {name}")
    for index in definition.indexes:
        for name in index.key.names:
            if name in nested:
                raise validation(f"{reason}IndexKey: {name}")


def _refuse_key_changes(definition: TableDefinition, paths: tuple[Path, ...]) -> None:
    changed = {path[0] for path in paths}
    for name in definition.key.names:
        if name in changed:
            raise invalid_parameters(f"Cannot update attribute {name}. This attribute is part of the key")
    refuse_nested_keys(definition, paths)


def _wants_item_on_failure(params: Params) -> bool:
    return params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


def prepare(write: ItemWrite) -> PreparedWrite:
    """Raises ConditionalCheckFailedException, or ValidationException when the new item cannot be stored."""
    row = write.table.get(write.key)
    old: Item | None = None
    if row is not None and (write.condition is not None or write.changes is not None):
        old = orjson.loads(row[0])
    if write.condition is not None and not write.condition(old or {}):
        raise conditional_check_failed(old if write.return_on_failure else None)
    if write.changes is not None:
        new, size = _updated(write, old)
        return PreparedWrite(write, row, old, new, size)
    return PreparedWrite(write, row, old, write.item, write.item_size)


def _updated(write: ItemWrite, old: Item | None) -> tuple[Item, int]:
    assert write.changes is not None
    assert write.key_attributes is not None
    # The changes see the old item only: a new item's key attributes cannot be used as operands.
    new = apply_changes(old or write.key_attributes, write.changes(old or {}))
    try:
        size = check_item(new)
    except ApiError as error:
        raise validation(error.message or "") from None
    if size > MAX_ITEM_BYTES:
        raise validation(_UPDATE)
    if write.table.definition.indexes:
        check_index_keys(write.table.definition, new)
    return new, size


def apply(prepared: PreparedWrite) -> list[IndexWrite]:
    """Changes the rows; the caller opened the write group."""
    write = prepared.write
    if write.check_only:
        return []
    if prepared.new is not None:
        return write.table.put(write.key, prepared.row, prepared.new, prepared.size)
    return [] if prepared.row is None else write.table.delete(write.key, prepared.row)


def consumption(prepared: PreparedWrite, writes: list[IndexWrite], *, transactional: bool = False) -> Consumption:
    """What the write cost: the larger of the item before and after, and every index entry."""
    consumed = Consumption(prepared.write.table.definition.name, "Write")
    before = 0 if prepared.row is None else prepared.row[1]
    consumed.on_table = write_units(max(before, prepared.size), transactional=transactional)
    consumed.add_index_writes(writes, transactional=transactional)
    return consumed


def collection_metrics(prepared: PreparedWrite) -> dict[str, Any]:
    """ItemCollectionMetrics of a table with local indexes: the partition key, and bounds of its size in GB."""
    table = prepared.write.table
    name = table.definition.key.hash.name
    source = prepared.write.key_attributes or prepared.new or {}
    partition = prepared.write.key[0]
    size = table.rows.collection_size(partition)
    for index in table.definition.indexes:
        if not index.is_global:
            size += table.index_rows[index.name].collection_size(partition)
    gigabytes = size // 1024**3
    return {
        "ItemCollectionKey": {name: source[name]},
        "SizeEstimateRangeGB": [float(gigabytes), float(gigabytes + 1)],
    }
