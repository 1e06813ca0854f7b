"""Secondary indexes: what is in them, what they refuse, how they come and go."""

from __future__ import annotations

from typing import Any

import pytest

from groundschool.dynamodb.background import FILL_ROWS

LOCAL = {
    "IndexName": "by-l",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
}
GLOBAL = {"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}
ATTRIBUTES = {"l": {"AttributeName": "l", "AttributeType": "N"}, "g": {"AttributeName": "g", "AttributeType": "S"}}
KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}
ITEM = {"pk": {"S": "a"}, "sk": {"S": "1"}, "l": {"N": "5"}, "g": {"S": "red"}, "x": {"S": "more"}, "y": {"S": "yet"}}


def with_local(local: Any, projection: dict[str, Any]) -> None:
    local.table(attributes=[ATTRIBUTES["l"]], LocalSecondaryIndexes=[{**LOCAL, "Projection": projection}])


def with_global(local: Any, projection: dict[str, Any]) -> None:
    local.table(attributes=[ATTRIBUTES["g"]], GlobalSecondaryIndexes=[{**GLOBAL, "Projection": projection}])


def by_group(local: Any, group: str = "red", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = local(
        "Query",
        TableName="items",
        IndexName="by-g",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": group}},
        **more,
    )
    return answer


@pytest.mark.parametrize(
    ("projection", "names"),
    [
        (KEYS_ONLY, {"pk", "sk", "g"}),
        ({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]}, {"pk", "sk", "g", "x"}),
        ({"ProjectionType": "ALL"}, set(ITEM)),
    ],
)
def test_a_global_index_carries_what_it_projects(local: Any, projection: dict[str, Any], names: set[str]) -> None:
    with_global(local, projection)
    local("PutItem", TableName="items", Item=ITEM)
    assert set(by_group(local)["Items"][0]) == names


def test_an_item_without_the_index_key_is_not_in_the_index(local: Any) -> None:
    with_global(local, KEYS_ONLY)
    local("PutItem", TableName="items", Item={name: ITEM[name] for name in ("pk", "sk", "x")})
    assert by_group(local)["Count"] == 0
    assert local("Scan", TableName="items", IndexName="by-g")["Count"] == 0


def test_an_item_moves_when_its_index_key_changes(local: Any) -> None:
    with_global(local, KEYS_ONLY)
    local("PutItem", TableName="items", Item=ITEM)
    local("PutItem", TableName="items", Item={**ITEM, "g": {"S": "green"}})
    assert (by_group(local, "red")["Count"], by_group(local, "green")["Count"]) == (0, 1)
    local("DeleteItem", TableName="items", Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})
    assert by_group(local, "green")["Count"] == 0


def test_pages_of_an_index_tell_equal_index_keys_apart(local: Any) -> None:
    with_global(local, KEYS_ONLY)
    for number in range(5):
        local("PutItem", TableName="items", Item={**ITEM, "sk": {"S": str(number)}})
    found: list[str] = []
    start: dict[str, Any] = {}
    while page := by_group(local, Limit=2, **start):
        found += [item["sk"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        assert set(page["LastEvaluatedKey"]) == {"pk", "sk", "g"}
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(found) == ["0", "1", "2", "3", "4"]


def test_a_local_index_fetches_what_it_does_not_carry(local: Any) -> None:
    with_local(local, KEYS_ONLY)
    local("PutItem", TableName="items", Item=ITEM)

    def query(**more: Any) -> Any:
        return local(
            "Query",
            TableName="items",
            IndexName="by-l",
            KeyConditionExpression="pk = :p AND l > :l",
            ExpressionAttributeValues={":p": {"S": "a"}, ":l": {"N": "4"}},
            ReturnConsumedCapacity="INDEXES",
            **more,
        )

    assert set(query()["Items"][0]) == {"pk", "sk", "l"}
    whole = query(Select="ALL_ATTRIBUTES", ConsistentRead=True)
    assert whole["Items"] == [ITEM]
    assert whole["ConsumedCapacity"]["Table"] == {"CapacityUnits": 1.0}
    assert query(ProjectionExpression="x")["Items"] == [{"x": {"S": "more"}}]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes"),
        (
            {"Select": "ALL_ATTRIBUTES"},
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
            "secondary index by-g because its projection type is not ALL",
        ),
        (
            {"ProjectionExpression": "x, y"},
            "One or more parameter values were invalid: Global secondary index by-g does not project [x, y]",
        ),
    ],
)
def test_a_global_index_refuses_what_it_cannot_give(local: Any, refused: Any, more: Any, words: str) -> None:
    with_global(local, KEYS_ONLY)
    with refused("ValidationException", words):
        by_group(local, **more)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            {"N": "1"},
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
        ),
        (
            {"S": ""},
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g",
        ),
    ],
)
def test_an_index_key_must_be_of_its_type_and_not_empty(local: Any, refused: Any, value: Any, words: str) -> None:
    with_global(local, KEYS_ONLY)
    with refused("ValidationException", words):
        local("PutItem", TableName="items", Item={**ITEM, "g": value})


def test_index_writes_are_paid_for(local: Any) -> None:
    with_global(local, KEYS_ONLY)

    def units(**item: Any) -> Any:
        answer = local("PutItem", TableName="items", Item={**ITEM, **item}, ReturnConsumedCapacity="INDEXES")
        return answer["ConsumedCapacity"].get("GlobalSecondaryIndexes", {}).get("by-g")

    assert units() == {"CapacityUnits": 1.0}
    assert units(x={"S": "not projected"}) is None
    assert units(g={"S": "green"}) == {"CapacityUnits": 2.0}


def add_index(local: Any) -> None:
    local(
        "UpdateTable",
        TableName="items",
        AttributeDefinitions=[ATTRIBUTES["g"]],
        GlobalSecondaryIndexUpdates=[{"Create": {**GLOBAL, "Projection": KEYS_ONLY}}],
    )


def test_an_index_added_later_is_filled_while_writes_go_on(local: Any, refused: Any) -> None:
    local.table()
    for number in range(1200):
        local("PutItem", TableName="items", Item={**ITEM, "sk": {"S": f"{number:04}"}})
    add_index(local)
    with refused("ValidationException", "Cannot read from backfilling global secondary index: by-g"):
        by_group(local)
    local.filling.step()
    for number in (0, 1199):  # one that was copied already, one that was not
        local("DeleteItem", TableName="items", Key={"pk": ITEM["pk"], "sk": {"S": f"{number:04}"}})
        local("PutItem", TableName="items", Item={**ITEM, "sk": {"S": f"{number:04}"}, "g": {"S": "green"}})
    assert local("DescribeTable", TableName="items")["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    for _ in range(1200 // FILL_ROWS):
        assert local.filling.step()
    assert not local.filling.step()
    (index,) = local("DescribeTable", TableName="items")["Table"]["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"]) == ("ACTIVE", 1200)
    assert (by_group(local, "red")["Count"], by_group(local, "green")["Count"]) == (1198, 2)


def test_items_that_do_not_fit_a_later_index_are_left_out(local: Any) -> None:
    local.table()
    local("PutItem", TableName="items", Item={**ITEM, "g": {"N": "1"}})
    add_index(local)
    local.filling.step()
    assert local("Scan", TableName="items", IndexName="by-g")["Count"] == 0
    local("DeleteItem", TableName="items", Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})


def test_an_index_can_be_removed(local: Any, refused: Any) -> None:
    with_global(local, KEYS_ONLY)
    local("PutItem", TableName="items", Item=ITEM)
    local("UpdateTable", TableName="items", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    with refused("ValidationException", "The table does not have the specified index: by-g"):
        by_group(local)
    local("PutItem", TableName="items", Item={**ITEM, "g": {"N": "1"}})
