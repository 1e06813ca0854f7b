"""Transactions and batches: all or nothing, once or in parts, and their limits."""

from __future__ import annotations

from typing import Any

import pytest


def put(number: int, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "items", "Item": {"pk": {"S": str(number)}}, **more}}


def check(number: int, condition: str = "attribute_exists(pk)") -> dict[str, Any]:
    key = {"pk": {"S": str(number)}}
    return {"ConditionCheck": {"TableName": "items", "Key": key, "ConditionExpression": condition}}


def stored(local: Any) -> set[str]:
    return {item["pk"]["S"] for item in local("Scan", TableName="items")["Items"]}


def test_a_transaction_does_all_of_its_members(local: Any) -> None:
    local.table(sort=None)
    local("PutItem", TableName="items", Item={"pk": {"S": "9"}})
    answer = local(
        "TransactWriteItems",
        TransactItems=[
            put(1),
            {
                "Update": {
                    "TableName": "items",
                    "Key": {"pk": {"S": "2"}},
                    "UpdateExpression": "SET x = :x",
                    "ExpressionAttributeValues": {":x": {"N": "1"}},
                }
            },
            {"Delete": {"TableName": "items", "Key": {"pk": {"S": "9"}}}},
            check(3, "attribute_not_exists(pk)"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert stored(local) == {"1", "2"}
    assert answer["ConsumedCapacity"] == [{"TableName": "items", "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0}]


def test_one_failed_member_undoes_all_and_every_member_has_a_reason(local: Any, refused: Any) -> None:
    local.table(sort=None)
    local("PutItem", TableName="items", Item={"pk": {"S": "1"}, "n": {"S": "text"}})
    members = [
        put(5),
        put(1, ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        check(7),
        {
            "Update": {
                "TableName": "items",
                "Key": {"pk": {"S": "6"}},
                "UpdateExpression": "SET n = n + :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        },
    ]
    with refused(
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, ConditionalCheckFailed, ValidationError]",
    ) as refusal:
        local("TransactWriteItems", TransactItems=members)
    assert refusal.value.body["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"pk": {"S": "1"}, "n": {"S": "text"}},
        },
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {
            "Code": "ValidationError",
            "Message": "The provided expression refers to an attribute that does not exist in the item",
        },
    ]
    assert stored(local) == {"1"}


def test_a_token_makes_a_transaction_happen_once(local: Any, refused: Any) -> None:
    local.table(sort=None)
    add = {
        "Update": {
            "TableName": "items",
            "Key": {"pk": {"S": "1"}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }

    def count() -> str:
        local("TransactWriteItems", TransactItems=[add], ClientRequestToken="token-1")
        number: str = local("GetItem", TableName="items", Key={"pk": {"S": "1"}})["Item"]["n"]["N"]
        return number

    assert (count(), count()) == ("1", "1")
    with refused("IdempotentParameterMismatchException"):
        local("TransactWriteItems", TransactItems=[put(2)], ClientRequestToken="token-1")
    local.now += 601
    assert count() == "2"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([put(1), check(1)], "Transaction request cannot include multiple operations on one item"),
        ([{}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        ([{**put(1), **check(2)}], "TransactItems can only contain one of Check, Put, Update or Delete"),
    ],
)
def test_a_transaction_that_is_none_is_refused(local: Any, refused: Any, members: Any, words: str) -> None:
    local.table(sort=None)
    with refused("ValidationException", words):
        local("TransactWriteItems", TransactItems=members)


def test_100_members_are_the_limit(local: Any) -> None:
    local.table(sort=None)
    local("TransactWriteItems", TransactItems=[put(number) for number in range(100)])
    with pytest.raises(Exception, match="Member must have length less than or equal to 100"):
        local("TransactWriteItems", TransactItems=[put(number) for number in range(101)])


def test_transact_get_answers_in_order_with_gaps(local: Any) -> None:
    local.table(sort=None)
    local("PutItem", TableName="items", Item={"pk": {"S": "2"}, "x": {"S": "y"}})
    gets = [{"Get": {"TableName": "items", "Key": {"pk": {"S": number}}}} for number in ("1", "2")]
    answer = local("TransactGetItems", TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == [{}, {"Item": {"pk": {"S": "2"}, "x": {"S": "y"}}}]
    assert answer["ConsumedCapacity"] == [{"TableName": "items", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}]


def batch(*numbers: int) -> dict[str, Any]:
    return {"items": [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in numbers]}


def test_a_batch_writes_and_reads_many(local: Any) -> None:
    local.table(sort=None)
    requests = batch(1, 2, 3)
    requests["items"].append({"DeleteRequest": {"Key": {"pk": {"S": "4"}}}})
    answer = local("BatchWriteItem", RequestItems=requests, ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {}
    assert answer["ConsumedCapacity"] == [{"TableName": "items", "CapacityUnits": 4.0}]
    keys = [{"pk": {"S": number}} for number in ("1", "3", "9")]
    found = local("BatchGetItem", RequestItems={"items": {"Keys": keys}})
    assert found["Responses"] == {"items": keys[:2]}
    assert found["UnprocessedKeys"] == {}


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        (batch(1, 1), "Provided list of item keys contains duplicates"),
        (
            {"items": [{"PutRequest": {"Item": {"x": {"S": "1"}}}}]},
            "The provided key element does not match the schema",
        ),
        (
            {**batch(*range(20)), "other": batch(*range(6))["items"]},
            "Too many items requested for the BatchWriteItem call",
        ),
    ],
)
def test_a_batch_that_is_none_is_refused_whole(local: Any, refused: Any, requests: Any, words: str) -> None:
    local.table(sort=None)
    local.table("other", sort=None)
    with refused("ValidationException", words):
        local("BatchWriteItem", RequestItems=requests)
    assert stored(local) == set()


def test_a_batch_of_gets_stops_at_16_megabytes(local: Any) -> None:
    local.table(sort=None)
    for number in range(45):
        local("PutItem", TableName="items", Item={"pk": {"S": str(number)}, "x": {"S": "y" * 400_000}})
    keys = [{"pk": {"S": str(number)}} for number in range(45)]
    answer = local("BatchGetItem", RequestItems={"items": {"Keys": keys, "ConsistentRead": True}})
    assert len(answer["Responses"]["items"]) == 41
    assert answer["UnprocessedKeys"]["items"] == {"Keys": keys[41:], "ConsistentRead": True}


def test_the_same_key_twice_in_a_batch_of_gets_is_refused(local: Any, refused: Any) -> None:
    local.table(sort=None)
    with refused("ValidationException", "Provided list of item keys contains duplicates"):
        local("BatchGetItem", RequestItems={"items": {"Keys": [{"pk": {"S": "1"}}, {"pk": {"S": "1"}}]}})
