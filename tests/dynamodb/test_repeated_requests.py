"""Requests that come again word for word: looked at once, answered anew each time.

Each is sent three times first: the store keeps what it prepared when a request comes for the second time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

QUERY = {
    "TableName": "items",
    "KeyConditionExpression": "pk = :p",
    "ExpressionAttributeValues": {":p": {"S": "a"}},
}
SCAN = {"TableName": "items"}
ITEM = {"pk": {"S": "a"}, "sk": {"S": "1"}}


@pytest.fixture(params=["Query", "Scan"])
def read(request: Any, local: Any) -> Any:
    """The same read again and again, of a table with one item."""
    local.table()
    local("PutItem", TableName="items", Item=ITEM)
    params = QUERY if request.param == "Query" else SCAN
    for _ in range(3):
        assert local(request.param, **params)["Items"] == [ITEM]
    return lambda: local(request.param, **params)


def test_a_repeated_read_sees_every_write(local: Any, read: Any) -> None:
    newer = {**ITEM, "sk": {"S": "2"}}
    local("PutItem", TableName="items", Item=newer)
    assert read()["Items"] == [ITEM, newer]
    local("DeleteItem", TableName="items", Key=ITEM)
    assert read()["Items"] == [newer]


def test_a_repeated_read_follows_its_table(local: Any, refused: Any, read: Any) -> None:
    local("DeleteTable", TableName="items")
    with refused("ResourceNotFoundException"):
        read()
    local.table()
    assert read()["Items"] == []
    local.database.rollback()  # a disk that failed: all tables are read from the database again
    assert read()["Items"] == []


def test_a_repeated_read_is_of_its_own_region(local: Any, refused: Any, read: Any) -> None:
    local.region = "us-east-1"
    with refused("ResourceNotFoundException"):
        read()
    local.table()
    assert read()["Items"] == []
    local.region = "eu-north-1"
    assert read()["Items"] == [ITEM]


def test_a_repeated_read_of_an_index_notices_its_removal_and_return(local: Any, refused: Any) -> None:
    index = {
        "IndexName": "by-g",
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attribute = [{"AttributeName": "g", "AttributeType": "S"}]
    local.table(attributes=attribute, GlobalSecondaryIndexes=[index])
    local("PutItem", TableName="items", Item={**ITEM, "g": {"S": "red"}})
    query = {
        "TableName": "items",
        "IndexName": "by-g",
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": {"S": "red"}},
    }
    for _ in range(3):
        assert local("Query", **query)["Count"] == 1
    local("UpdateTable", TableName="items", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    with refused("ValidationException", "The table does not have the specified index: by-g"):
        local("Query", **query)
    local(
        "UpdateTable",
        TableName="items",
        AttributeDefinitions=attribute,
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    with refused("ValidationException", "Cannot read from backfilling global secondary index: by-g"):
        local("Query", **query)
    local.filling.step()
    assert local("Query", **query)["Count"] == 1


def test_a_repeated_read_is_authorised_for_each_caller(local_with: Any, refused: Any, tmp_path: Path) -> None:
    policy = {"account_id": "123456789012", "root_keys": ["AKIAROOT"], "keys": {}}
    (tmp_path / "policy.json").write_bytes(orjson.dumps(policy))
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "AKIAROOT"
    local.table()
    for _ in range(3):
        local("Query", **QUERY)
    local.key = "AKIAOTHER"
    with refused("UnrecognizedClientException"):
        local("Query", **QUERY)


def test_a_repeated_read_is_throttled_like_any_other(local_with: Any, refused: Any) -> None:
    local = local_with(throttle=True)
    local.table(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 100})
    local("PutItem", TableName="items", Item={**ITEM, "text": {"S": "x" * 300_000}})
    with refused("ProvisionedThroughputExceededException"):
        for _ in range(100):
            local("Query", **QUERY)


def test_many_different_requests_push_out_the_oldest(local: Any) -> None:
    local.table()
    local("PutItem", TableName="items", Item=ITEM)
    for limit in range(1, 700):
        for _ in range(2):
            assert local("Query", **QUERY, Limit=limit)["Count"] == 1
    assert local("Query", **QUERY, Limit=1)["Count"] == 1
