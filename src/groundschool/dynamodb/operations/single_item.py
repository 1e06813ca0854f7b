"""GetItem, PutItem, UpdateItem and DeleteItem."""

from __future__ import annotations

from typing import Any

import orjson

from groundschool.dynamodb.api_error import validation
from groundschool.dynamodb.capacity import Consumption, read_units, wants_capacity
from groundschool.dynamodb.expressions.parameters import ExpressionParameters, refuse_mixed_styles
from groundschool.dynamodb.expressions.projection import Projection, project, project_names
from groundschool.dynamodb.operations import item_write
from groundschool.dynamodb.operations.item_write import ItemWrite, PreparedWrite, refuse_nested_keys
from groundschool.dynamodb.operations.request import Params, Request, Result
from groundschool.dynamodb.tables.item_key import key_of_request
from groundschool.dynamodb.values.attribute_value import Item

_PROJECTING = frozenset(
    {"ProjectionExpression", "AttributesToGet", "ExpressionAttributeNames", "ExpressionAttributeValues"}
)


def get_item(request: Request, params: Params) -> Result:
    """The item, or nothing: a missing item is an empty answer."""
    projection = projection_of(params)
    table = request.table(params["TableName"])
    if projection is not None:
        refuse_nested_keys(table.definition, projection.paths)
    key = key_of_request(table.definition.key, params["Key"])
    request.admit(table, key[0], "Read")
    row = table.get(key)
    members = []
    if row is not None:
        json = row[0] if projection is None else orjson.dumps(projection.apply(orjson.loads(row[0])))
        members.append(b'"Item":' + json)
    wanted = wants_capacity(params)
    if wanted or request.books:
        consumed = Consumption(table.definition.name, "Read")
        consumed.on_table = read_units(0 if row is None else row[1], consistent=bool(params.get("ConsistentRead")))
        request.charge(table, key[0], consumed)
        if wanted:
            members.append(b'"ConsumedCapacity":' + orjson.dumps(consumed.report(wanted)))
    return b"{" + b",".join(members) + b"}"


def projection_of(params: Params) -> Projection | None:
    """From ProjectionExpression or AttributesToGet, for reads that have no other expression."""
    if params.keys().isdisjoint(_PROJECTING):
        return None
    refuse_mixed_styles(params, ("ProjectionExpression",), ("AttributesToGet",))
    names = params.get("AttributesToGet")
    if names is not None:
        return attributes_to_get(names)
    expressions = ExpressionParameters(params)
    projection = expressions.projection(params.get("ProjectionExpression"))
    expressions.finish()
    return projection


def attributes_to_get(names: list[str]) -> Projection:
    """The legacy projection; a name may appear once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise validation(f"One or more parameter values were invalid: Duplicate value in attribute name: {name}")
        seen.add(name)
    return project_names(names)


def put_item(request: Request, params: Params) -> Result:
    _refuse_return_values(params)
    return _write(request, params, item_write.put(request, params))


def delete_item(request: Request, params: Params) -> Result:
    _refuse_return_values(params)
    return _write(request, params, item_write.delete(request, params))


def update_item(request: Request, params: Params) -> Result:
    return _write(request, params, item_write.update(request, params))


def _refuse_return_values(params: Params) -> None:
    if params.get("ReturnValues") not in (None, "NONE", "ALL_OLD"):
        raise validation("ReturnValues can only be ALL_OLD or NONE")


def _write(request: Request, params: Params, write: ItemWrite) -> Result:
    request.admit(write.table, write.key[0], "Write")
    request.store.database.begin()
    prepared = item_write.prepare(write)
    index_writes = item_write.apply(prepared)
    answer: dict[str, Any] = {}
    attributes = _returned(params.get("ReturnValues"), prepared)
    if attributes:
        answer["Attributes"] = attributes
    wanted = wants_capacity(params)
    if wanted or request.books:
        consumed = item_write.consumption(prepared, index_writes)
        request.charge(write.table, write.key[0], consumed)
        if wanted:
            answer["ConsumedCapacity"] = consumed.report(wanted)
    if params.get("ReturnItemCollectionMetrics") == "SIZE" and write.table.definition.has_local_indexes:
        answer["ItemCollectionMetrics"] = item_write.collection_metrics(prepared)
    return answer


def _returned(wanted: str | None, prepared: PreparedWrite) -> Item | None:
    if wanted is None or wanted == "NONE":
        return None
    old = prepared.old
    if old is None and prepared.row is not None:
        old = orjson.loads(prepared.row[0])
    source = old if wanted.endswith("_OLD") else prepared.new
    if source is None or wanted.startswith("ALL_"):
        return source
    return project(prepared.write.paths, source)
