"""TableDescription structures, in wire form. Times are Unix seconds with fractions, as the JSON protocol has them."""

from __future__ import annotations

from typing import Any

from groundschool.dynamodb.storage.stored_table import Counts, StoredTable
from groundschool.dynamodb.tables.definition import KeySchema, SecondaryIndex, TableDefinition, Throughput


def describe(table: StoredTable, status: str = "ACTIVE") -> dict[str, Any]:
    """A TableDescription. Counts are exact and current, where AWS's are up to six hours old."""
    definition = table.definition
    counts = table.counts()
    answer: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": each.name, "AttributeType": each.type} for each in definition.attribute_definitions
        ],
        "TableName": definition.name,
        "KeySchema": _key_schema(definition.key),
        "TableStatus": status,
        "CreationDateTime": definition.created_at,
        "ProvisionedThroughput": _throughput(definition.throughput),
        "TableSizeBytes": counts.size,
        "ItemCount": counts.items,
        "TableArn": definition.arn,
        "TableId": definition.table_id,
        "DeletionProtectionEnabled": definition.deletion_protection,
        "WarmThroughput": _warm_throughput(definition),
    }
    if definition.on_demand_since is not None:
        mode = "PAY_PER_REQUEST" if definition.on_demand else "PROVISIONED"
        answer["BillingModeSummary"] = {
            "BillingMode": mode,
            "LastUpdateToPayPerRequestDateTime": definition.on_demand_since,
        }
    if definition.on_demand_limits:
        answer["OnDemandThroughput"] = dict(definition.on_demand_limits)
    if definition.table_class is not None:
        answer["TableClassSummary"] = {"TableClass": definition.table_class}
    for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
        indexes = [each for each in definition.indexes if each.is_global is is_global]
        if indexes:
            answer[member] = [_index(definition, each, table.counts(each.name), status) for each in indexes]
    return answer


def _index(definition: TableDefinition, index: SecondaryIndex, counts: Counts, status: str) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection_type}
    if index.non_key_attributes:
        projection["NonKeyAttributes"] = list(index.non_key_attributes)
    answer = {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.key),
        "Projection": projection,
        "IndexSizeBytes": counts.size,
        "ItemCount": counts.items,
        "IndexArn": definition.index_arn(index),
    }
    if index.is_global:
        answer["IndexStatus"] = "CREATING" if index.backfilling else status
        answer["ProvisionedThroughput"] = _throughput(index.throughput)
        if index.backfilling:
            answer["Backfilling"] = True
    return answer


def _key_schema(key: KeySchema) -> list[dict[str, str]]:
    return [
        {"AttributeName": attribute.name, "KeyType": "HASH" if attribute is key.hash else "RANGE"} for attribute in key
    ]


def _throughput(throughput: Throughput) -> dict[str, Any]:
    return {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": throughput.read,
        "WriteCapacityUnits": throughput.write,
    }


def _warm_throughput(definition: TableDefinition) -> dict[str, Any]:
    read, write = (12_000, 4_000) if definition.on_demand else (definition.throughput.read, definition.throughput.write)
    return {"ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": "ACTIVE"}
