"""The parameters from before expressions do what their expressions do."""

from __future__ import annotations

from typing import Any

import pytest

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
ITEM: dict[str, Any] = {**KEY, "n": {"N": "5"}, "s": {"S": "hello"}, "ss": {"SS": ["a", "b"]}, "l": {"L": [{"N": "1"}]}}
INVALID = "One or more parameter values were invalid: "


@pytest.fixture
def table(local: Any) -> Any:
    local.table(sort="N")
    local("PutItem", TableName="items", Item=ITEM)
    return local


def condition(operator: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {"ComparisonOperator": operator, **({"AttributeValueList": list(values)} if values else {})}


@pytest.mark.parametrize(
    ("name", "test", "found"),
    [
        ("n", condition("EQ", {"N": "5"}), 1),
        ("n", condition("NE", {"N": "5"}), 0),
        ("n", condition("LT", {"N": "6"}), 1),
        ("n", condition("LE", {"N": "5"}), 1),
        ("n", condition("GT", {"N": "5"}), 0),
        ("n", condition("GE", {"N": "5"}), 1),
        ("n", condition("BETWEEN", {"N": "1"}, {"N": "5"}), 1),
        ("n", condition("IN", {"N": "1"}, {"N": "5"}), 1),
        ("n", condition("NULL"), 0),
        ("n", condition("NOT_NULL"), 1),
        ("q", condition("NULL"), 1),
        ("q", condition("NE", {"N": "5"}), 1),
        ("s", condition("BEGINS_WITH", {"S": "he"}), 1),
        ("s", condition("CONTAINS", {"S": "ll"}), 1),
        ("ss", condition("CONTAINS", {"S": "a"}), 1),
        ("ss", condition("NOT_CONTAINS", {"S": "a"}), 0),
    ],
)
def test_a_scan_filter_selects(table: Any, name: str, test: dict[str, Any], found: int) -> None:
    assert table("Scan", TableName="items", ScanFilter={name: test})["Count"] == found


def test_conditions_are_joined_by_the_conditional_operator(table: Any) -> None:
    conditions = {"n": condition("EQ", {"N": "5"}), "s": condition("EQ", {"S": "other"})}
    assert table("Scan", TableName="items", ScanFilter=conditions)["Count"] == 0
    assert table("Scan", TableName="items", ScanFilter=conditions, ConditionalOperator="OR")["Count"] == 1


def test_key_conditions_and_a_query_filter_select(table: Any) -> None:
    keys = {"pk": condition("EQ", {"S": "a"}), "sk": condition("BETWEEN", {"N": "0"}, {"N": "1"})}
    answer = table("Query", TableName="items", KeyConditions=keys, AttributesToGet=["n"])
    assert answer["Items"] == [{"n": {"N": "5"}}]
    filtered = table("Query", TableName="items", KeyConditions=keys, QueryFilter={"n": condition("GT", {"N": "5"})})
    assert (filtered["Count"], filtered["ScannedCount"]) == (0, 1)


@pytest.mark.parametrize(
    ("expected", "passes"),
    [
        ({"n": {"Value": {"N": "5"}}}, True),
        ({"n": {"Value": {"N": "6"}}}, False),
        ({"q": {"Exists": False}}, True),
        ({"n": {"Exists": False}}, False),
        ({"n": condition("GE", {"N": "5"})}, True),
        ({"n": {"ComparisonOperator": "LT", "Value": {"N": "5"}}}, False),
    ],
)
def test_expected_is_a_condition(table: Any, refused: Any, expected: dict[str, Any], passes: bool) -> None:
    if passes:
        table("DeleteItem", TableName="items", Key=KEY, Expected=expected)
    else:
        with refused("ConditionalCheckFailedException"):
            table("DeleteItem", TableName="items", Key=KEY, Expected=expected)


def test_attribute_updates_put_add_and_delete(table: Any) -> None:
    answer = table(
        "UpdateItem",
        TableName="items",
        Key=KEY,
        AttributeUpdates={
            "s": {"Value": {"S": "new"}},
            "n": {"Action": "ADD", "Value": {"N": "2"}},
            "ss": {"Action": "DELETE", "Value": {"SS": ["a"]}},
            "l": {"Action": "ADD", "Value": {"L": [{"N": "2"}]}},
            "q": {"Action": "DELETE"},
        },
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"] == {
        **KEY,
        "s": {"S": "new"},
        "n": {"N": "7"},
        "ss": {"SS": ["b"]},
        "l": {"L": [{"N": "1"}, {"N": "2"}]},
    }


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"ScanFilter": {"n": condition("EQ")}},
            f"{INVALID}Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            {"ScanFilter": {"n": condition("IN", {"N": "1"}, {"S": "1"})}},
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            {"ScanFilter": {"n": condition("LT", {"SS": ["1"]})}},
            f"{INVALID}ComparisonOperator LT is not valid for SS AttributeValue type",
        ),
        (
            {"ScanFilter": {"n": condition("BETWEEN", {"N": "2"}, {"N": "1"})}},
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ),
        ({"AttributesToGet": ["n", "n"]}, f"{INVALID}Duplicate value in attribute name: n"),
    ],
)
def test_legacy_parameters_that_are_none_are_refused(
    table: Any, refused: Any, params: dict[str, Any], words: str
) -> None:
    with refused("ValidationException", words):
        table("Scan", TableName="items", **params)


def test_a_query_needs_a_key_condition(table: Any, refused: Any) -> None:
    with refused(
        "ValidationException",
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    ):
        table("Query", TableName="items")
