"""CreateTable, DescribeTable, ListTables, UpdateTable and DeleteTable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from groundschool.dynamodb.api_error import ApiError, invalid_parameters, table_not_found, validation
from groundschool.dynamodb.operations.request import Params, Request, Result, table_name
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables import creation
from groundschool.dynamodb.tables.definition import KeyAttribute, SecondaryIndex, TableDefinition, Throughput
from groundschool.dynamodb.tables.description import describe

_PAGE = 100
_NOTHING_TO_DO = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
    "SSESpecification or ReplicaUpdates is required"
)
_CHANGES = (
    "ProvisionedThroughput",
    "BillingMode",
    "GlobalSecondaryIndexUpdates",
    "StreamSpecification",
    "SSESpecification",
    "DeletionProtectionEnabled",
    "TableClass",
    "OnDemandThroughput",
    "WarmThroughput",
)


def create_table(request: Request, params: Params) -> Result:
    """The table is usable at once; the answer says CREATING, as AWS's does."""
    name = table_name(params["TableName"])
    if request.store.find(request.account_id, request.region, name) is not None:
        raise ApiError("ResourceInUseException", f"Table already exists: {name}")
    definition = creation.create_definition(
        params,
        name=name,
        account_id=request.account_id,
        region=request.region,
        now=request.now,
        new_storage_id=request.store.new_storage_id,
    )
    return {"TableDescription": describe(request.store.create(definition), "CREATING")}


def describe_table(request: Request, params: Params) -> Result:
    return {"Table": describe(_named(request, params))}


def list_tables(request: Request, params: Params) -> Result:
    """Names in order, at most Limit (100) of them, after ExclusiveStartTableName."""
    after = params.get("ExclusiveStartTableName") or ""
    names = [name for name in request.store.names(request.account_id, request.region) if name > after]
    limit = params.get("Limit") or _PAGE
    answer: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return answer


def delete_table(request: Request, params: Params) -> Result:
    table = _named(request, params)
    if table.definition.deletion_protection:
        raise validation(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    description = describe(table, "DELETING")
    request.store.drop(table)
    return {"TableDescription": description}


def update_table(request: Request, params: Params) -> Result:
    """New indexes are filled in the background and refuse queries until they are complete."""
    if all(params.get(name) is None for name in _CHANGES):
        raise validation(_NOTHING_TO_DO)
    creation.refuse_stream(params.get("StreamSpecification"))
    table = _named(request, params)
    updates = params.get("GlobalSecondaryIndexUpdates") or []
    _refuse_repeated(updates)
    definition = _rebilled(table.definition, params, updates, request.now)
    if params.get("DeletionProtectionEnabled") is not None:
        definition = replace(definition, deletion_protection=params["DeletionProtectionEnabled"])
    if params.get("TableClass") is not None:
        definition = replace(definition, table_class=params["TableClass"])
    if params.get("OnDemandThroughput") is not None:
        definition = replace(definition, on_demand_limits=params["OnDemandThroughput"])
    definition = _with_attributes(definition, params.get("AttributeDefinitions") or ())
    plans = [_IndexUpdate.plan(definition, update, request) for update in updates]
    request.store.save(definition)
    for plan in plans:
        plan.apply(request, table)
    return {"TableDescription": describe(table, "UPDATING")}


def _named(request: Request, params: Params) -> StoredTable:
    name = table_name(params["TableName"])
    table = request.store.find(request.account_id, request.region, name)
    if table is None:
        raise table_not_found(name)
    return table


def _refuse_repeated(updates: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for update in updates:
        if len(update) != 1:
            raise invalid_parameters(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        (action,) = update.values()
        if action["IndexName"] in seen:
            raise invalid_parameters(
                "Only one global secondary index update per index is allowed simultaneously. "
                f"Index: {action['IndexName']}"
            )
        seen.add(action["IndexName"])


def _rebilled(
    definition: TableDefinition, params: Params, updates: list[dict[str, Any]], now: float
) -> TableDefinition:
    mode, units = params.get("BillingMode"), params.get("ProvisionedThroughput")
    on_demand = definition.on_demand if mode is None else mode == "PAY_PER_REQUEST"
    if on_demand:
        if units:
            raise invalid_parameters(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        since = definition.on_demand_since if definition.on_demand else now
        indexes = tuple(replace(index, throughput=Throughput()) for index in definition.indexes)
        return replace(definition, on_demand=True, on_demand_since=since, throughput=Throughput(), indexes=indexes)
    if units is None:
        if mode is not None:
            raise invalid_parameters("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
        return definition
    throughput = creation.checked_throughput(units)
    if not definition.on_demand:
        _refuse_no_change(definition.throughput, throughput)
    else:
        _require_index_throughput(definition, updates)
    return replace(definition, on_demand=False, throughput=throughput)


def _require_index_throughput(definition: TableDefinition, updates: list[dict[str, Any]]) -> None:
    given = {action["IndexName"] for update in updates for action in update.values()}
    missing = [index.name for index in definition.indexes if index.is_global and index.name not in given]
    if missing:
        raise invalid_parameters(f"ProvisionedThroughput must be specified for index: {','.join(missing)}")


def _refuse_no_change(before: Throughput, after: Throughput) -> None:
    if before == after:
        raise validation(
            "The provisioned throughput for the table will not change. The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for the table: {before.read}. "
            f"Requested ReadCapacityUnits: {after.read}. "
            f"Current WriteCapacityUnits provisioned for the table: {before.write}. "
            f"Requested WriteCapacityUnits: {after.write}. "
            "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )


def _with_attributes(definition: TableDefinition, given: list[dict[str, str]] | tuple[()]) -> TableDefinition:
    known = {attribute.name: attribute for attribute in definition.attribute_definitions}
    for each in given:
        attribute = KeyAttribute(each["AttributeName"], each["AttributeType"])
        if known.setdefault(attribute.name, attribute) != attribute:
            raise invalid_parameters(f"Cannot change the type of attribute {attribute.name}")
    return replace(definition, attribute_definitions=tuple(known.values()))


class _IndexUpdate:
    """One checked entry of GlobalSecondaryIndexUpdates."""

    def __init__(self, kind: str, index: SecondaryIndex) -> None:
        self._kind = kind
        self._index = index

    @classmethod
    def plan(cls, definition: TableDefinition, update: dict[str, Any], request: Request) -> _IndexUpdate:
        ((kind, params),) = update.items()
        existing = definition.index(params["IndexName"])
        if kind == "Create":
            if existing is not None:
                raise validation(f"Attempting to create an index which already exists: {existing.name}")
            attributes = {attribute.name: attribute for attribute in definition.attribute_definitions}
            index = creation.global_index(params, attributes, definition.on_demand, request.store.new_storage_id())
            creation.refuse_too_many_global([*definition.indexes, index])
            return cls(kind, replace(index, backfilling=True))
        if existing is None or not existing.is_global:
            raise ApiError("ResourceNotFoundException", "Requested resource not found")
        if kind == "Delete":
            return cls(kind, existing)
        if definition.on_demand:
            raise invalid_parameters(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        throughput = creation.checked_throughput(params["ProvisionedThroughput"])
        return cls(kind, replace(existing, throughput=throughput))

    def apply(self, request: Request, table: StoredTable) -> None:
        if self._kind == "Create":
            request.store.add_index(table, self._index)
        elif self._kind == "Delete":
            request.store.drop_index(table, self._index.name)
        else:
            request.store.save(table.definition.with_index(self._index))
