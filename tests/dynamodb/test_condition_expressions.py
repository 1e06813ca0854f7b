"""Conditions: what holds of an item, and what is refused in which words."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.expressions.parameters import ExpressionParameters

ITEM: dict[str, Any] = {
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "b": {"B": "AQID"},
    "t": {"BOOL": True},
    "z": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"deep": {"S": "y"}}}]},
    "m": {"M": {"k": {"N": "7"}, "s": {"S": "hello"}}},
}
VALUES: dict[str, Any] = {
    ":5": {"N": "5"},
    ":5.0": {"N": "5"},
    ":6": {"N": "6"},
    ":9": {"N": "9"},
    ":he": {"S": "he"},
    ":hello": {"S": "hello"},
    ":b": {"B": "AQI="},
    ":a": {"S": "a"},
    ":1": {"N": "1"},
    ":ba": {"SS": ["b", "a"]},
    ":S": {"S": "S"},
    ":L": {"S": "L"},
    ":x": {"S": "x"},
    ":2": {"N": "2"},
}


def holds(text: str, item: dict[str, Any] = ITEM, values: dict[str, Any] = VALUES, **names: str) -> bool:
    used = {name: value for name, value in values.items() if name in text}
    params: dict[str, Any] = {"ExpressionAttributeValues": used or None}
    if names:
        params["ExpressionAttributeNames"] = {f"#{name}": value for name, value in names.items()}
    expressions = ExpressionParameters(params)
    condition = expressions.condition("FilterExpression", text)
    assert condition is not None
    return condition.matches(item, expressions.values)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("n = :5", True),
        (":5 = n", True),
        ("n <> :5", False),
        ("n < :6", True),
        ("n <= :5", True),
        ("n > :5", False),
        ("n >= :5", True),
        ("s = :5", False),
        ("s <> :5", True),
        ("s < :5", False),
        ("absent = :5", False),
        ("absent <> :5", True),
        ("absent < :5", False),
        ("NOT absent = :5", True),
        ("n BETWEEN :5 AND :6", True),
        ("n between :6 and :9", False),
        ("n IN (:6, :5)", True),
        ("n IN (:6)", False),
        ("ss = :ba", True),
        ("attribute_exists(m.k)", True),
        ("attribute_exists(m.q)", False),
        ("attribute_not_exists(l[2].deep)", False),
        ("attribute_not_exists(l[9])", True),
        ("attribute_type(s, :S)", True),
        ("attribute_type(l, :L)", True),
        ("begins_with(s, :he)", True),
        ("begins_with(b, :b)", True),
        ("begins_with(n, :he)", False),
        ("contains(s, :he)", True),
        ("contains(ss, :a)", True),
        ("contains(ns, :1)", True),
        ("contains(l, :x)", True),
        ("contains(l, :9)", False),
        ("size(s) = :5", True),
        ("size(ss) = :2", True),
        ("size(n) = :5", False),
        ("size(m) < size(s)", True),
        ("s = m.s", True),
        ("n = s", False),
        ("m.k > n", True),
        ("n = :5 OR n = :6 AND n = :9", True),
        ("(n = :5 OR n = :6) AND n = :9", False),
        ("NOT n = :6 AND NOT (n = :9 OR n = :6)", True),
        ("NOT NOT n = :5", True),
        ("(n) = (:5)", True),
    ],
)
def test_a_condition_holds_or_not(text: str, truth: bool) -> None:
    assert holds(text) is truth


def test_name_placeholders_stand_for_whole_names() -> None:
    item = {"a.b": {"N": "5"}, "size": {"M": {"and": {"N": "5"}}}}
    assert holds("#dotted = :5 AND #reserved.#word = :5", item, dotted="a.b", reserved="size", word="and")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The expression can not be empty;"),
        ("n = ", 'Syntax error; token: "<EOF>", near: "="'),
        ("n = = :5", 'Syntax error; token: "=", near: "= = :5"'),
        ("n & :5", 'Syntax error; token: "&", near: "n & :5"'),
        ("n", 'Syntax error; token: "<EOF>", near: "n"'),
        ("((n = :5))", "The expression has redundant parentheses;"),
        ("size = :5", "Attribute name is a reserved keyword; reserved keyword: size"),
        ("nope(n)", "Invalid function name; function: nope"),
        ("size(n)", "The function is not allowed to be used this way in an expression; function: size"),
        (
            "contains(s, :he) = :5",
            "The function is not allowed to be used this way in an expression; function: contains",
        ),
        (
            "#x = :5",
            "An expression attribute name used in the document path is not defined; attribute name: #x",
        ),
        (
            "n = :undefined",
            "An expression attribute value used in expression is not defined; attribute value: :undefined",
        ),
        (
            "contains(s)",
            "Incorrect number of operands for operator or function; operator or function: contains, "
            "number of operands: 1",
        ),
        (
            "attribute_exists(:5)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "n = n",
            "The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: =, first operand: [n]",
        ),
        (
            "begins_with(s, :5)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "n < :ba",
            "Incorrect operand type for operator or function; operator or function: <, operand type: SS",
        ),
        (
            "attribute_type(s, :he)",
            "Invalid attribute type name found; type: he, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "n BETWEEN :6 AND :5",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:5}",
        ),
        (
            "n BETWEEN :5 AND :he",
            "The BETWEEN operator requires same data type for lower and upper bounds; "
            "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:he}",
        ),
        ("x" * 4097, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
    ],
)
def test_a_wrong_condition_is_refused_in_aws_words(text: str, words: str) -> None:
    with pytest.raises(ApiError) as refusal:
        holds(text)
    assert refusal.value.message == f"Invalid FilterExpression: {words}"


@pytest.mark.parametrize(
    "text", ["(" * 4096, "NOT " * 1000 + "n = :5", "(" * 101 + "n = :5" + ")" * 101, "size(" * 800]
)
def test_deep_nesting_is_refused_and_harms_nothing(text: str) -> None:
    with pytest.raises(ApiError, match="ValidationException"):
        holds(text)


def test_300_operators_are_the_limit() -> None:
    assert holds(" OR ".join(["n = :5"] * 150))
    with pytest.raises(ApiError, match="too many operators"):
        holds(" OR ".join(["n = :5"] * 151))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"FilterExpression": "attribute_exists(pk)", "ExpressionAttributeNames": {"#a": "b"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
        (
            {"FilterExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":a": {"S": "b"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}",
        ),
        (
            {"ExpressionAttributeNames": {"#a": "b"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": {":a": {"S": "b"}}},
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
        ),
        (
            {"FilterExpression": "attribute_exists(pk)", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        (
            {"FilterExpression": "attribute_exists(pk)", "ExpressionAttributeNames": {"a": "b"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        ),
        (
            {"FilterExpression": "a = :a", "ExpressionAttributeValues": {":a": {"N": "x"}}},
            "ExpressionAttributeValues contains invalid value: "
            "The parameter cannot be converted to a numeric value: x for key :a",
        ),
        (
            {"FilterExpression": "attribute_exists(pk)", "AttributesToGet": ["a"]},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributesToGet} Expression parameters: {FilterExpression}",
        ),
        (
            {"FilterExpression": "pk.x = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}},
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk",
        ),
    ],
)
def test_names_and_values_must_fit_the_expressions(
    local: Any, refused: Any, params: dict[str, Any], words: str
) -> None:
    local.table()
    with refused("ValidationException", words):
        local("Scan", TableName="items", **params)


WORDS = [
    *"n s m.k l[0] l[2].deep #x :5 :he :ba AND OR NOT IN BETWEEN ( ) , = <> < <= > >= + -".split(),
    *"[ ] . [1] # : \u00e9 0".split(),
    *"size contains begins_with attribute_exists attribute_type if_not_exists list_append".split(),
    *"SET REMOVE ADD DELETE".split(),
]


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_any_jumble_of_words_is_either_a_condition_or_a_validation_error(words: list[str]) -> None:
    _must_not_fail(" ".join(words))


@given(st.text(max_size=60))
def test_any_text_is_either_a_condition_or_a_validation_error(text: str) -> None:
    _must_not_fail(text)


def _must_not_fail(text: str) -> None:
    for compile_it in (
        lambda expressions: expressions.condition("FilterExpression", text),
        lambda expressions: expressions.update(text),
        lambda expressions: expressions.projection(text),
        lambda expressions: expressions.key_condition(text),
    ):
        expressions = ExpressionParameters(
            {"ExpressionAttributeValues": dict(VALUES), "ExpressionAttributeNames": {"#x": "n"}}
            if "5.0" in text
            else {"ExpressionAttributeValues": {name: VALUES[name] for name in (":5", ":he", ":ba")}}
        )
        try:
            compiled = compile_it(expressions)
        except ApiError as error:
            if error.code != "ValidationException":
                raise
        else:
            if hasattr(compiled, "matches"):
                assert compiled.matches(ITEM, expressions.values) in (True, False)


def test_a_compiled_condition_is_not_bound_to_the_values_it_was_compiled_with() -> None:
    numbers = random.Random(7).sample(range(100), 20)
    for wanted in numbers:
        assert holds("n = :v", {"n": {"N": str(wanted)}}, {":v": {"N": str(wanted)}})
