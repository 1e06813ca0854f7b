"""Update expressions: what they make of an item, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

KEY = {"pk": {"S": "a"}}
BEFORE: dict[str, Any] = {
    **KEY,
    "n": {"N": "5"},
    "s": {"S": "text"},
    "ss": {"SS": ["a", "b"]},
    "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}, {"N": "3"}]},
    "m": {"M": {"k": {"N": "7"}, "l": {"L": [{"M": {"x": {"S": "y"}}}]}}},
}
VALUES: dict[str, Any] = {
    ":1": {"N": "1"},
    ":x": {"S": "x"},
    ":l": {"L": [{"S": "new"}]},
    ":ss": {"SS": ["b", "c"]},
    ":ab": {"SS": ["a", "b"]},
    ":m": {"M": {}},
    ":big": {"N": "9" * 38},
    ":tiny": {"N": "0.1"},
}


def updated(local: Any, text: str, before: dict[str, Any] | None = BEFORE) -> dict[str, Any]:
    local.table(sort=None)
    if before:
        local("PutItem", TableName="items", Item=before)
    used = {name: value for name, value in VALUES.items() if name in text}
    params = {"ExpressionAttributeValues": used} if used else {}
    local("UpdateItem", TableName="items", Key=KEY, UpdateExpression=text, **params)
    item: dict[str, Any] = local("GetItem", TableName="items", Key=KEY)["Item"]
    return item


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("SET s = :x", {"s": {"S": "x"}}),
        ("set fresh = n", {"fresh": {"N": "5"}}),
        ("SET n = n + :1", {"n": {"N": "6"}}),
        ("SET n = n - :1", {"n": {"N": "4"}}),
        ("SET n = if_not_exists(n, :1)", {}),
        ("SET c = if_not_exists(c, :1) + :1", {"c": {"N": "2"}}),
        ("SET l = list_append(:l, l)", {"l": {"L": [{"S": "new"}, *BEFORE["l"]["L"]]}}),
        ("SET l[1] = :x", {"l": {"L": [{"N": "0"}, {"S": "x"}, {"N": "2"}, {"N": "3"}]}}),
        ("SET l[90] = :x, l[50] = :1", {"l": {"L": [*BEFORE["l"]["L"], {"N": "1"}, {"S": "x"}]}}),
        ("SET m.k = m.l[0].x", {"m": {"M": {**BEFORE["m"]["M"], "k": {"S": "y"}}}}),
        ("SET m.fresh = :m", {"m": {"M": {**BEFORE["m"]["M"], "fresh": {"M": {}}}}}),
        ("SET n = s, s = n", {"n": {"S": "text"}, "s": {"N": "5"}}),
        ("REMOVE s, n", {"s": None, "n": None}),
        ("REMOVE absent", {}),
        ("REMOVE l[0], l[2]", {"l": {"L": [{"N": "1"}, {"N": "3"}]}}),
        ("REMOVE l[1] SET l[2] = :x", {"l": {"L": [{"N": "0"}, {"S": "x"}, {"N": "3"}]}}),
        ("REMOVE m.l[0].x", {"m": {"M": {"k": {"N": "7"}, "l": {"L": [{"M": {}}]}}}}),
        ("ADD n :1, c :1", {"n": {"N": "6"}, "c": {"N": "1"}}),
        ("ADD ss :ss", {"ss": {"SS": ["a", "b", "c"]}}),
        ("ADD m.c :1", {"m": {"M": {**BEFORE["m"]["M"], "c": {"N": "1"}}}}),
        ("DELETE ss :ss", {"ss": {"SS": ["a"]}}),
        ("DELETE ss :ab", {"ss": None}),
        ("DELETE absent :ss", {}),
        (
            "SET n = :1 REMOVE s ADD c :1 DELETE ss :ss",
            {"n": {"N": "1"}, "s": None, "c": {"N": "1"}, "ss": {"SS": ["a"]}},
        ),
    ],
)
def test_an_update_changes_what_it_says_and_nothing_else(local: Any, text: str, changed: dict[str, Any]) -> None:
    after = {name: value for name, value in {**BEFORE, **changed}.items() if value is not None}
    assert updated(local, text) == after


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SET n = absent", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET n = n + absent", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET n = s + :1", "An operand in the update expression has an incorrect data type"),
        ("SET l = list_append(l, n)", "An operand in the update expression has an incorrect data type"),
        ("ADD s :1", "An operand in the update expression has an incorrect data type"),
        ("DELETE n :ss", "An operand in the update expression has an incorrect data type"),
        ("SET absent.x = :1", "The document path provided in the update expression is invalid for update"),
        ("SET n.x = :1", "The document path provided in the update expression is invalid for update"),
        ("SET m[0] = :1", "The document path provided in the update expression is invalid for update"),
        ("SET n = :big + :tiny", "Attempting to store more than 38 significant digits in a Number"),
        (
            "SET pk = :x",
            "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
        ),
    ],
)
def test_an_update_that_does_not_fit_the_item_is_refused(local: Any, refused: Any, text: str, words: str) -> None:
    with refused("ValidationException", words):
        updated(local, text)
    assert local("GetItem", TableName="items", Key=KEY)["Item"] == BEFORE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The expression can not be empty;"),
        ("SET", 'Syntax error; token: "<EOF>", near: "SET"'),
        ("n = :1", 'Syntax error; token: "n", near: "n ="'),
        ("SET n = :1 SET s = :x", 'The "SET" section can only be used once in an update expression;'),
        (
            "SET m.k = :1, m = :m",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [m, k], path two: [m]",
        ),
        (
            "SET m.k = :1, m[1] = :m",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; "
            "path one: [m, k], path two: [m, [1]]",
        ),
        (
            "ADD n :x",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE ss :1",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, "
            "typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        ("SET n = n + :x", "Incorrect operand type for operator or function; operator or function: +, operand type: S"),
        ("SET n = nope(n)", "Invalid function name; function: nope"),
        (
            "SET n = if_not_exists(:1, n)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        ("SET count = :1", "Attribute name is a reserved keyword; reserved keyword: count"),
    ],
)
def test_a_wrong_update_expression_is_refused_in_aws_words(local: Any, refused: Any, text: str, words: str) -> None:
    with refused("ValidationException", f"Invalid UpdateExpression: {words}"):
        updated(local, text)


def test_an_update_of_a_missing_item_sees_no_attributes(local: Any, refused: Any) -> None:
    assert updated(local, "SET c = if_not_exists(c, :1)", before=None) == {**KEY, "c": {"N": "1"}}
