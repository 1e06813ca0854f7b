"""BatchGetItem and BatchWriteItem: many single operations in one request, without a transaction between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from groundschool.dynamodb.api_error import ApiError, validation
from groundschool.dynamodb.capacity import Consumption, read_units, wants_capacity
from groundschool.dynamodb.expressions.projection import Projection
from groundschool.dynamodb.operations import item_write
from groundschool.dynamodb.operations.item_write import ItemWrite
from groundschool.dynamodb.operations.request import Params, Request, Result
from groundschool.dynamodb.operations.single_item import projection_of
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.item_key import MISMATCH, KeyBytes, key_of_request
from groundschool.dynamodb.values.attribute_value import Item

MAX_GETS = 100
MAX_WRITES = 25
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""AWS: BatchGetItem: up to 16 MB; what does not fit comes back as UnprocessedKeys."""

_DUPLICATES = "Provided list of item keys contains duplicates"


def batch_get_item(request: Request, params: Params) -> Result:
    """Items in the order of their keys; the order is not promised by AWS."""
    groups = [_GetGroup(request, name, group) for name, group in params["RequestItems"].items()]
    if sum(len(group.keys) for group in groups) > MAX_GETS:
        raise validation("Too many items requested for the BatchGetItem call")
    size = 0
    for group in groups:
        size = group.read(request, size)
    if groups and all(not group.served for group in groups) and groups[0].refusal is not None:
        raise groups[0].refusal
    responses = b",".join(orjson.dumps(group.name) + b":[" + b",".join(group.found) + b"]" for group in groups)
    unprocessed = {group.name: {**group.parameters, "Keys": group.left} for group in groups if group.left}
    members = [b'"Responses":{' + responses + b"}", b'"UnprocessedKeys":' + orjson.dumps(unprocessed)]
    if wanted := wants_capacity(params):
        members.append(b'"ConsumedCapacity":' + orjson.dumps([group.consumed.report(wanted) for group in groups]))
    return b"{" + b",".join(members) + b"}"


class _GetGroup:
    """The keys asked of one table."""

    def __init__(self, request: Request, name: str, parameters: dict[str, Any]) -> None:
        self.name = name
        self.parameters = parameters
        self.projection: Projection | None = projection_of(parameters)
        self.table: StoredTable = request.table(name)
        schema = self.table.definition.key
        self.keys: list[tuple[KeyBytes, Item]] = [(key_of_request(schema, key), key) for key in parameters["Keys"]]
        if len({key for key, _ in self.keys}) < len(self.keys):
            raise validation(_DUPLICATES)
        self.consumed = Consumption(self.table.definition.name, "Read")
        self.found: list[bytes] = []
        self.left: list[Item] = []
        self.served = 0
        self.refusal: ApiError | None = None

    def read(self, request: Request, size: int) -> int:
        """Reads until the answer is full; ``size`` is what it holds already, in bytes."""
        consistent = bool(self.parameters.get("ConsistentRead"))
        for key, wire_key in self.keys:
            row = self.table.get(key)
            length = 0 if row is None else row[1]
            if size + length > MAX_ANSWER_BYTES or not self._admitted(request, key):
                self.left.append(wire_key)
                continue
            size += length
            self.served += 1
            units = read_units(length, consistent=consistent)
            self.consumed.on_table += units
            request.charge(self.table, key[0], Consumption(self.consumed.table, "Read", units))
            if row is not None:
                self.found.append(
                    row[0] if self.projection is None else orjson.dumps(self.projection.apply(orjson.loads(row[0])))
                )
        return size

    def _admitted(self, request: Request, key: KeyBytes) -> bool:
        try:
            request.admit(self.table, key[0], "Read")
        except ApiError as refusal:
            self.refusal = refusal
            return False
        return True


def batch_write_item(request: Request, params: Params) -> Result:
    """Puts and deletes, each on its own; what was throttled comes back as UnprocessedItems."""
    items = params["RequestItems"]
    if sum(len(group) for group in items.values()) > MAX_WRITES:
        raise validation("Too many items requested for the BatchWriteItem call")
    writes = [(name, entry, write) for name, group in items.items() for entry, write in _writes(request, name, group)]
    request.store.database.begin()
    consumed: dict[str, Consumption] = {}
    metrics: dict[str, list[dict[str, Any]]] = {}
    unprocessed: dict[str, list[dict[str, Any]]] = {}
    refusal: ApiError | None = None
    for name, entry, write in writes:
        try:
            request.admit(write.table, write.key[0], "Write")
        except ApiError as error:
            refusal = error
            unprocessed.setdefault(name, []).append(entry)
            continue
        prepared = item_write.prepare(write)
        one = item_write.consumption(prepared, item_write.apply(prepared))
        request.charge(write.table, write.key[0], one)
        consumed.setdefault(name, Consumption(one.table, "Write")).add(one)
        if params.get("ReturnItemCollectionMetrics") == "SIZE" and write.table.definition.has_local_indexes:
            metrics.setdefault(name, []).append(item_write.collection_metrics(prepared))
    if refusal is not None and not consumed:
        raise refusal
    answer: dict[str, Any] = {"UnprocessedItems": unprocessed}
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    if wanted := wants_capacity(params):
        answer["ConsumedCapacity"] = [one.report(wanted) for one in consumed.values()]
    return answer


def _writes(request: Request, name: str, group: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], ItemWrite]]:
    seen: set[KeyBytes] = set()
    for entry in group:
        write = _write(request, name, entry)
        if write.key in seen:
            raise validation(_DUPLICATES)
        seen.add(write.key)
        yield entry, write


def _write(request: Request, name: str, entry: dict[str, Any]) -> ItemWrite:
    if len(entry) != 1:
        raise validation(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    try:
        if "PutRequest" in entry:
            return item_write.put(request, {"TableName": name, "Item": entry["PutRequest"]["Item"]})
        return item_write.delete(request, {"TableName": name, "Key": entry["DeleteRequest"]["Key"]})
    except ApiError as error:
        # AWS words a wrong key alike for puts and deletes of a batch.
        if error.message and ("Missing the key" in error.message or "Type mismatch for key" in error.message):
            raise validation(MISMATCH) from None
        raise
