"""PutItem, GetItem, UpdateItem, DeleteItem: what is kept, what is returned, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


def item(**more: Any) -> dict[str, Any]:
    return {**KEY, **more}


EVERY_TYPE = item(
    s={"S": "text ü"},
    n={"N": "-12.5"},
    b={"B": "AP8="},
    t={"BOOL": False},
    z={"NULL": True},
    ss={"SS": ["a", "b"]},
    ns={"NS": ["1", "2.5"]},
    bs={"BS": ["AA==", "/w=="]},
    l={"L": [{"S": "x"}, {"L": []}]},
    m={"M": {"inner": {"M": {}}, "n": {"N": "1"}}},
    empty={"S": ""},
)


def test_every_type_comes_back_as_it_was_put(local: Any) -> None:
    local.table()
    local("PutItem", TableName="items", Item=EVERY_TYPE)
    assert local("GetItem", TableName="items", Key=KEY) == {"Item": EVERY_TYPE}


def test_a_missing_item_is_an_empty_answer(local: Any) -> None:
    local.table()
    assert local("GetItem", TableName="items", Key=KEY) == {}


def test_a_table_can_be_named_by_its_arn(local: Any) -> None:
    local.table()
    arn = "arn:aws:dynamodb:eu-north-1:123456789012:table/items"
    local("PutItem", TableName=arn, Item=item())
    assert local("GetItem", TableName=arn, Key=KEY)["Item"] == KEY


def test_tables_of_different_regions_are_different_tables(local: Any, refused: Any) -> None:
    local.table()
    local.region = "us-east-1"
    with refused("ResourceNotFoundException", "Requested resource not found"):
        local("GetItem", TableName="items", Key=KEY)


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (
            {},
            "ValidationException",
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            {"S": "a", "N": "1"},
            "ValidationException",
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes",
        ),
        (
            {"NULL": False},
            "ValidationException",
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
        (
            {"SS": []},
            "ValidationException",
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            {"SS": ["a", "a"]},
            "ValidationException",
            "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
        ),
        ({"NS": ["1", "1.0"]}, "ValidationException", "Input collection contains duplicates"),
        ({"N": "x"}, "ValidationException", "The parameter cannot be converted to a numeric value: x"),
        ({"S": 1}, "SerializationException", "NUMBER_VALUE cannot be converted to String"),
        ({"S": True}, "SerializationException", "TRUE_VALUE cannot be converted to String"),
        ({"BOOL": 1}, "SerializationException", "NUMBER_VALUE cannot be converted to Boolean"),
        (
            {"B": "abc"},
            "SerializationException",
            "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
        ),
        ({"L": {}}, "SerializationException", "Start of structure or map found where not expected"),
        ("text", "SerializationException", "Unexpected value type in payload"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_values_that_are_none_are_refused(local: Any, refused: Any, value: Any, code: str, words: str) -> None:
    local.table()
    with refused(code, words):
        local("PutItem", TableName="items", Item=item(x=value))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({"pk": {"S": "a"}}, "The provided key element does not match the schema"),
        ({**KEY, "x": {"S": "b"}}, "The provided key element does not match the schema"),
        ({"pk": {"N": "1"}, "sk": {"S": "1"}}, "The provided key element does not match the schema"),
        (
            {"pk": {"S": ""}, "sk": {"S": "1"}},
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        (
            {"pk": {"S": "x" * 2049}, "sk": {"S": "1"}},
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of2048 bytes",
        ),
        (
            {"pk": {"S": "x"}, "sk": {"S": "1" * 1025}},
            "One or more parameter values were invalid: "
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
        ),
    ],
    ids=["missing", "too many", "wrong type", "empty", "long hash", "long range"],
)
def test_keys_that_do_not_fit_are_refused(local: Any, refused: Any, key: Any, words: str) -> None:
    local.table()
    with refused("ValidationException", words):
        local("GetItem", TableName="items", Key=key)


def test_an_item_without_its_key_is_refused(local: Any, refused: Any) -> None:
    local.table()
    with refused("ValidationException", "One or more parameter values were invalid: Missing the key sk in the item"):
        local("PutItem", TableName="items", Item={"pk": {"S": "a"}})


def test_400_kb_with_names_are_the_limit(local: Any, refused: Any) -> None:
    local.table()
    room = 409_600 - len("pk" + "a" + "sk" + "1" + "x")
    local("PutItem", TableName="items", Item=item(x={"S": "y" * room}))
    with refused("ValidationException", "Item size has exceeded the maximum allowed size"):
        local("PutItem", TableName="items", Item=item(x={"S": "y" * (room + 1)}))
    with refused("ValidationException", "Item size to update has exceeded the maximum allowed size"):
        local(
            "UpdateItem",
            TableName="items",
            Key=KEY,
            UpdateExpression="SET y = :y",
            ExpressionAttributeValues={":y": {"S": "z"}},
        )


def test_nesting_ends_at_32_levels(local: Any, refused: Any) -> None:
    local.table()
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(32):
        value = {"L": [value]}
    local("PutItem", TableName="items", Item=item(x=value))
    with refused("ValidationException", "Nesting Levels have exceeded supported limits"):
        local("PutItem", TableName="items", Item=item(x={"L": [value]}))


@pytest.mark.parametrize(
    ("wanted", "returned"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "a": {"N": "1"}, "b": {"S": "kept"}}),
        ("UPDATED_OLD", {"a": {"N": "1"}}),
        ("ALL_NEW", {**KEY, "a": {"N": "2"}, "b": {"S": "kept"}}),
        ("UPDATED_NEW", {"a": {"N": "2"}}),
    ],
)
def test_update_returns_what_return_values_asks_for(local: Any, wanted: str, returned: Any) -> None:
    local.table()
    local("PutItem", TableName="items", Item=item(a={"N": "1"}, b={"S": "kept"}))
    answer = local(
        "UpdateItem",
        TableName="items",
        Key=KEY,
        UpdateExpression="SET a = a + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues=wanted,
    )
    assert answer.get("Attributes") == returned


def test_put_and_delete_return_the_old_item_and_nothing_else(local: Any, refused: Any) -> None:
    local.table()
    assert local("PutItem", TableName="items", Item=item(v={"N": "1"}), ReturnValues="ALL_OLD") == {}
    old = local("PutItem", TableName="items", Item=item(v={"N": "2"}), ReturnValues="ALL_OLD")
    assert old["Attributes"]["v"] == {"N": "1"}
    old = local("DeleteItem", TableName="items", Key=KEY, ReturnValues="ALL_OLD")
    assert old["Attributes"]["v"] == {"N": "2"}
    with refused("ValidationException", "ReturnValues can only be ALL_OLD or NONE"):
        local("PutItem", TableName="items", Item=item(), ReturnValues="ALL_NEW")


def test_a_failed_condition_changes_nothing_and_can_return_the_item(local: Any, refused: Any) -> None:
    local.table()
    local("PutItem", TableName="items", Item=item(v={"N": "1"}))
    with refused("ConditionalCheckFailedException", "The conditional request failed") as refusal:
        local(
            "PutItem",
            TableName="items",
            Item=item(v={"N": "2"}),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refusal.value.body["Item"]["v"] == {"N": "1"}
    assert local("GetItem", TableName="items", Key=KEY)["Item"]["v"] == {"N": "1"}


def test_an_update_of_a_missing_item_creates_it(local: Any) -> None:
    local.table()
    local("UpdateItem", TableName="items", Key=KEY)
    assert local("GetItem", TableName="items", Key=KEY)["Item"] == KEY


def test_a_key_attribute_cannot_be_updated(local: Any, refused: Any) -> None:
    local.table()
    with refused(
        "ValidationException",
        "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key",
    ):
        local("UpdateItem", TableName="items", Key=KEY, UpdateExpression="REMOVE sk")


@pytest.mark.parametrize(
    ("size", "read", "strong", "write"), [(100, 0.5, 1.0, 1.0), (1025, 0.5, 1.0, 2.0), (4097, 1.0, 2.0, 5.0)]
)
def test_capacity_is_counted_by_4_kb_reads_and_1_kb_writes(
    local: Any, size: int, read: float, strong: float, write: float
) -> None:
    local.table()
    body = item(x={"S": "y" * (size - len("pk" + "a" + "sk" + "1" + "x"))})
    put = local("PutItem", TableName="items", Item=body, ReturnConsumedCapacity="TOTAL")
    assert put["ConsumedCapacity"] == {"TableName": "items", "CapacityUnits": write}
    for consistent, units in ((False, read), (True, strong)):
        got = local("GetItem", TableName="items", Key=KEY, ConsistentRead=consistent, ReturnConsumedCapacity="INDEXES")
        assert got["ConsumedCapacity"]["Table"] == {"CapacityUnits": units}


def test_item_collection_metrics_are_there_when_a_table_has_a_local_index(local: Any) -> None:
    local.table(
        attributes=[{"AttributeName": "l", "AttributeType": "S"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-l",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    answer = local("PutItem", TableName="items", Item=item(l={"S": "x"}), ReturnItemCollectionMetrics="SIZE")
    assert answer["ItemCollectionMetrics"] == {
        "ItemCollectionKey": {"pk": {"S": "a"}},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }
