"""CreateTable's input, checked and turned into a definition. AWS's words where AWS complains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from groundschool.dynamodb.api_error import ApiError, invalid_parameters, validation
from groundschool.dynamodb.tables.definition import (
    KeyAttribute,
    KeySchema,
    SecondaryIndex,
    TableDefinition,
    Throughput,
)

MAX_LOCAL_INDEXES = 5
MAX_GLOBAL_INDEXES = 20
MAX_PROJECTED_ATTRIBUTES = 100
"""AWS: service quotas, "Secondary indexes"."""

_MAX_UNITS = 1_000_000_000_000
_BOTH_UNITS = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
_NO_UNITS = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"

Params = Mapping[str, Any]


def create_definition(
    params: Params, *, name: str, account_id: str, region: str, now: float, new_storage_id: Callable[[], int]
) -> TableDefinition:
    """Raises ValidationException when parts of the input contradict each other."""
    on_demand = params.get("BillingMode") == "PAY_PER_REQUEST"
    throughput = _table_throughput(params.get("ProvisionedThroughput"), on_demand)
    attributes = _attributes(params["AttributeDefinitions"])
    key = key_schema(params["KeySchema"], attributes)
    indexes = _indexes(params, key, attributes, on_demand, new_storage_id)
    _refuse_unused_attributes(attributes, key, indexes)
    refuse_stream(params.get("StreamSpecification"))
    return TableDefinition(
        account_id=account_id,
        region=region,
        name=name,
        table_id=str(uuid4()),
        storage_id=new_storage_id(),
        created_at=now,
        key=key,
        attribute_definitions=tuple(attributes.values()),
        indexes=tuple(indexes),
        on_demand=on_demand,
        on_demand_since=now if on_demand else None,
        throughput=throughput,
        on_demand_limits=params.get("OnDemandThroughput"),
        table_class=params.get("TableClass"),
        deletion_protection=bool(params.get("DeletionProtectionEnabled")),
        tags=_tags(params.get("Tags") or ()),
    )


def refuse_stream(specification: Params | None) -> None:
    """Streams do not exist here: enabling one is refused, in so many words."""
    if specification and specification.get("StreamEnabled"):
        raise validation("Streams are not supported by this store: StreamSpecification.StreamEnabled must be false")


def _table_throughput(units: Params | None, on_demand: bool) -> Throughput:
    if on_demand:
        if units:
            raise invalid_parameters(_NO_UNITS)
        return Throughput()
    if not units:
        raise invalid_parameters(_BOTH_UNITS)
    return checked_throughput(units)


def checked_throughput(units: Params) -> Throughput:
    """Raises when a value is out of AWS's bounds."""
    for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if units[name] > _MAX_UNITS:
            raise validation(f"Given value {units[name]} for {name} is out of bounds")
    return Throughput(units["ReadCapacityUnits"], units["WriteCapacityUnits"])


def _attributes(definitions: Sequence[Mapping[str, str]]) -> dict[str, KeyAttribute]:
    attributes = {
        each["AttributeName"]: KeyAttribute(each["AttributeName"], each["AttributeType"]) for each in definitions
    }
    if len(attributes) < len(definitions):
        raise invalid_parameters("Cannot define the same attribute name twice")
    return attributes


def key_schema(elements: Sequence[Mapping[str, str]], attributes: Mapping[str, KeyAttribute]) -> KeySchema:
    """Raises when the schema is not one partition key, with or without one sort key, of defined attributes."""
    names = [element["AttributeName"] for element in elements]
    if len(names) > 2:
        raise validation(
            "1 validation error detected: Value at 'keySchema' failed to satisfy constraint: "
            "Member must have length less than or equal to 2"
        )
    if elements[0]["KeyType"] != "HASH":
        raise validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 1 and elements[1]["KeyType"] != "RANGE":
        raise validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    if len(names) > 1 and names[0] == names[1]:
        raise validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if any(name not in attributes for name in names):
        raise invalid_parameters(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(attributes)}]"
        )
    return KeySchema(attributes[names[0]], attributes[names[1]] if len(names) > 1 else None)


def _refuse_unused_attributes(
    attributes: Mapping[str, KeyAttribute], key: KeySchema, indexes: Sequence[SecondaryIndex]
) -> None:
    used = {*key.names, *(name for index in indexes for name in index.key.names)}
    if used == set(attributes):
        return
    if not indexes:
        raise invalid_parameters(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    raise invalid_parameters(
        "Some AttributeDefinitions are not used. "
        f"AttributeDefinitions: [{', '.join(attributes)}], keys used: [{', '.join(sorted(used))}]"
    )


def _indexes(
    params: Params,
    key: KeySchema,
    attributes: Mapping[str, KeyAttribute],
    on_demand: bool,
    new_storage_id: Callable[[], int],
) -> list[SecondaryIndex]:
    local, shared = params.get("LocalSecondaryIndexes"), params.get("GlobalSecondaryIndexes")
    for kind, given in (("LocalSecondaryIndexes", local), ("GlobalSecondaryIndexes", shared)):
        if given is not None and not given:
            raise invalid_parameters(f"List of {kind} is empty")
    if local and key.range is None:
        raise invalid_parameters(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    indexes = [_local_index(each, key, attributes, new_storage_id()) for each in local or ()]
    indexes += [global_index(each, attributes, on_demand, new_storage_id()) for each in shared or ()]
    seen: set[str] = set()
    for index in indexes:
        if index.name in seen:
            raise invalid_parameters(f"Duplicate index name: {index.name}")
        seen.add(index.name)
    if len(local or ()) > MAX_LOCAL_INDEXES:
        raise invalid_parameters(f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}")
    refuse_too_many_global(indexes)
    if sum(len(index.non_key_attributes) for index in indexes) > MAX_PROJECTED_ATTRIBUTES:
        raise too_many_projected(indexes)
    return indexes


def refuse_too_many_global(indexes: Sequence[SecondaryIndex]) -> None:
    if sum(index.is_global for index in indexes) > MAX_GLOBAL_INDEXES:
        raise invalid_parameters(f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}")


def too_many_projected(indexes: Sequence[SecondaryIndex]) -> ApiError:
    count = sum(len(index.non_key_attributes) for index in indexes)
    return invalid_parameters(
        f"Total number of user-specified non-key attributes projected into all indexes is {count}, "
        f"which exceeds the limit of {MAX_PROJECTED_ATTRIBUTES}"
    )


def _local_index(
    params: Params, key: KeySchema, attributes: Mapping[str, KeyAttribute], storage_id: int
) -> SecondaryIndex:
    schema = key_schema(params["KeySchema"], attributes)
    if schema.range is None:
        raise invalid_parameters(f"Index KeySchema does not have a range key for index: {params['IndexName']}")
    if schema.hash != key.hash:
        raise invalid_parameters(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
            f"{params['IndexName']}. index hash key: {schema.hash.name}, table hash key: {key.hash.name}"
        )
    projection_type, names = _projection(params["Projection"])
    return SecondaryIndex(params["IndexName"], False, schema, projection_type, names, storage_id)


def global_index(
    params: Params, attributes: Mapping[str, KeyAttribute], on_demand: bool, storage_id: int
) -> SecondaryIndex:
    """A global index from CreateTable or from a Create of UpdateTable."""
    schema = key_schema(params["KeySchema"], attributes)
    projection_type, names = _projection(params["Projection"])
    units = params.get("ProvisionedThroughput")
    if on_demand and units:
        raise invalid_parameters(
            f"ProvisionedThroughput should not be specified for index: {params['IndexName']} "
            "when BillingMode is PAY_PER_REQUEST"
        )
    if not on_demand and not units:
        raise invalid_parameters(f"ProvisionedThroughput must be specified for index: {params['IndexName']}")
    throughput = checked_throughput(units) if units else Throughput()
    return SecondaryIndex(params["IndexName"], True, schema, projection_type, names, storage_id, throughput)


def _projection(params: Params) -> tuple[str, tuple[str, ...]]:
    kind = params.get("ProjectionType")
    names = params.get("NonKeyAttributes")
    if kind is None:
        raise invalid_parameters("Unknown ProjectionType: null")
    if names and kind != "INCLUDE":
        raise invalid_parameters(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if kind == "INCLUDE" and not names:
        raise invalid_parameters("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    return kind, tuple(names or ())


def _tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
