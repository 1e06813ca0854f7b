"""Tables: made, described, changed, deleted; time to live and tags."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from groundschool.dynamodb.background import EXPIRY_ROWS

KEY = [{"AttributeName": "pk", "KeyType": "HASH"}]
PK = {"AttributeName": "pk", "AttributeType": "S"}
PROVISIONED = {"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}, "BillingMode": "PROVISIONED"}
INVALID = "One or more parameter values were invalid: "


def create(local: Any, **changes: Any) -> dict[str, Any]:
    params = {
        "TableName": "items",
        "KeySchema": KEY,
        "AttributeDefinitions": [PK],
        "BillingMode": "PAY_PER_REQUEST",
        **changes,
    }
    answer: dict[str, Any] = local("CreateTable", **params)["TableDescription"]
    return answer


def test_a_new_table_is_described_as_aws_does(local: Any) -> None:
    created = create(local)
    assert created["TableStatus"] == "CREATING"
    described = local("DescribeTable", TableName="items")["Table"]
    assert described.pop("TableId") == created["TableId"]
    assert described == {
        "AttributeDefinitions": [PK],
        "TableName": "items",
        "KeySchema": KEY,
        "TableStatus": "ACTIVE",
        "CreationDateTime": local.now,
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "TableSizeBytes": 0,
        "ItemCount": 0,
        "TableArn": "arn:aws:dynamodb:eu-north-1:123456789012:table/items",
        "DeletionProtectionEnabled": False,
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": local.now,
        },
    }


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            "ValidationException",
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
            "BillingMode is PAY_PER_REQUEST",
        ),
        (
            {"BillingMode": "PROVISIONED"},
            "ValidationException",
            f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {"KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]},
            "ValidationException",
            f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [other], AttributeDefinitions: [pk]",
        ),
        (
            {"KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]},
            "ValidationException",
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"AttributeDefinitions": [PK, {"AttributeName": "x", "AttributeType": "N"}]},
            "ValidationException",
            f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions",
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "BOOL"}]},
            "ValidationException",
            "1 validation error detected: Value 'BOOL' at 'attributeDefinitions.1.member.attributeType' failed to "
            "satisfy constraint: Member must satisfy enum value set: [S, N, B]",
        ),
        (
            {"TableName": "x"},
            "ValidationException",
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain "
            "only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
            "ValidationException",
            "Streams are not supported by this store: StreamSpecification.StreamEnabled must be false",
        ),
        (
            {
                "LocalSecondaryIndexes": [
                    {"IndexName": "loc", "KeySchema": KEY, "Projection": {"ProjectionType": "ALL"}},
                ]
            },
            "ValidationException",
            f"{INVALID}Table KeySchema does not have a range key, which is required when "
            "specifying a LocalSecondaryIndex",
        ),
        (
            {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "glo",
                        "KeySchema": KEY,
                        "Projection": {"ProjectionType": "ALL", "NonKeyAttributes": ["x"]},
                    },
                ]
            },
            "ValidationException",
            f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    local: Any, refused: Any, changes: dict[str, Any], code: str, words: str
) -> None:
    with refused(code, words):
        create(local, **changes)


def test_a_name_is_taken_once(local: Any, refused: Any) -> None:
    create(local)
    with refused("ResourceInUseException", "Table already exists: items"):
        create(local)


def test_tables_are_listed_in_pages(local: Any) -> None:
    for name in ("ccc", "aaa", "bbb"):
        create(local, TableName=name)
    assert local("ListTables", Limit=2) == {"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"}
    assert local("ListTables", ExclusiveStartTableName="bbb") == {"TableNames": ["ccc"]}


def test_a_deleted_table_is_gone_with_its_items(local: Any, refused: Any) -> None:
    create(local)
    local("PutItem", TableName="items", Item={"pk": {"S": "a"}})
    assert local("DeleteTable", TableName="items")["TableDescription"]["TableStatus"] == "DELETING"
    with refused("ResourceNotFoundException", "Requested resource not found: Table: items not found"):
        local("DescribeTable", TableName="items")
    create(local)
    assert local("Scan", TableName="items")["Count"] == 0


def test_a_protected_table_cannot_be_deleted(local: Any, refused: Any) -> None:
    create(local, DeletionProtectionEnabled=True)
    with refused("ValidationException"):
        local("DeleteTable", TableName="items")
    local("UpdateTable", TableName="items", DeletionProtectionEnabled=False)
    local("DeleteTable", TableName="items")


def test_billing_can_change_both_ways(local: Any, refused: Any) -> None:
    create(local, **PROVISIONED)
    with refused("ValidationException"):
        local("UpdateTable", TableName="items", ProvisionedThroughput=PROVISIONED["ProvisionedThroughput"])
    local("UpdateTable", TableName="items", BillingMode="PAY_PER_REQUEST")
    described = local("DescribeTable", TableName="items")["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    local("UpdateTable", TableName="items", **PROVISIONED)
    described = local("DescribeTable", TableName="items")["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 5


def test_everything_is_there_after_a_restart(local_with: Any, tmp_path: Any) -> None:
    first = local_with(path=tmp_path / "store.db")
    first.table(
        attributes=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
            }
        ],
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    first("PutItem", TableName="items", Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "g": {"S": "red"}})
    before = first("DescribeTable", TableName="items")
    first.close()
    second = local_with(path=tmp_path / "store.db")
    assert second("DescribeTable", TableName="items") == before
    assert second("Scan", TableName="items", IndexName="by-g")["Count"] == 1
    second.table("another")


def test_items_expire_by_their_time_to_live(local: Any, refused: Any) -> None:
    local.table(sort=None)
    local("UpdateTimeToLive", TableName="items", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    described = local("DescribeTimeToLive", TableName="items")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    with refused("ValidationException", "TimeToLive is already enabled"):
        local(
            "UpdateTimeToLive", TableName="items", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
        )
    times: dict[str, Any] = {
        "past": {"N": str(int(local.now) - 1)},
        "future": {"N": str(int(local.now) + 1)},
        "text": {"S": "1"},
        "ancient": {"N": str(int(local.now) - 6 * 365 * 86_400)},
    }
    for name, until in times.items():
        local("PutItem", TableName="items", Item={"pk": {"S": name}, "until": until})
    local("PutItem", TableName="items", Item={"pk": {"S": "none"}})
    local.expiry.step(local.now)
    local.database.commit()
    left = {item["pk"]["S"] for item in local("Scan", TableName="items")["Items"]}
    assert left == {"future", "text", "ancient", "none"}


def test_the_walk_for_expired_items_reaches_all_of_a_large_table(local: Any) -> None:
    local.table(sort=None)
    local("UpdateTimeToLive", TableName="items", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    for number in range(4500):
        until = {"N": str(int(local.now) - 1)} if number % 2 else {"N": str(int(local.now) + 100)}
        local("PutItem", TableName="items", Item={"pk": {"S": str(number)}, "until": until})
    for _ in range(4500 // EXPIRY_ROWS + 1):
        local.expiry.step(local.now)
    local.database.commit()
    assert local("DescribeTable", TableName="items")["Table"]["ItemCount"] == 2250


def test_a_step_of_the_expiry_is_short_however_many_tables_there_are_and_each_gets_its_turn(local: Any) -> None:
    names = [local.table(f"items-{number}", sort=None) for number in range(5)]
    for name in names:
        local("UpdateTimeToLive", TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
        for number in range(EXPIRY_ROWS + 50):
            item = {"pk": {"S": str(number)}, "until": {"N": str(int(local.now) - 1)}}
            local("PutItem", TableName=name, Item=item)

    def left() -> list[int]:
        return [local("DescribeTable", TableName=name)["Table"]["ItemCount"] for name in names]

    totals = [sum(left())]
    for _ in names:
        local.expiry.step(local.now)
        local.database.commit()
        totals.append(sum(left()))
    assert [before - after for before, after in pairwise(totals)] == [EXPIRY_ROWS] * 5
    assert left() == [50] * 5
    for _ in range(3):
        local.expiry.step(local.now)
    local.database.commit()
    assert left() == [0] * 5


def test_tags_are_added_listed_and_removed(local: Any, refused: Any) -> None:
    arn = create(local, Tags=[{"Key": "a", "Value": "1"}])["TableArn"]
    local("TagResource", ResourceArn=arn, Tags=[{"Key": f"k{number:02}", "Value": "v"} for number in range(11)])
    first = local("ListTagsOfResource", ResourceArn=arn)
    assert len(first["Tags"]) == 10
    assert len(local("ListTagsOfResource", ResourceArn=arn, NextToken=first["NextToken"])["Tags"]) == 2
    local("UntagResource", ResourceArn=arn, TagKeys=[f"k{number:02}" for number in range(11)])
    assert local("ListTagsOfResource", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    with refused("ResourceNotFoundException"):
        local("ListTagsOfResource", ResourceArn=arn + "x")


def test_limits_and_endpoints_are_described(local: Any) -> None:
    assert local("DescribeLimits")["TableMaxReadCapacityUnits"] == 40_000
    assert local("DescribeEndpoints") == {"Endpoints": [{"Address": "localhost", "CachePeriodInMinutes": 1440}]}
