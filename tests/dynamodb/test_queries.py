"""Query and Scan: order, ranges, pages, projections, counts, segments."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.values.attribute_value import check_item

PARTITION = {":p": {"S": "a"}}


def fill(local: Any, sort_keys: list[dict[str, Any]], kind: str, **more: Any) -> None:
    local.table(sort=kind)
    for position, key in enumerate(sort_keys):
        local("PutItem", TableName="items", Item={"pk": {"S": "a"}, "sk": key, "nr": {"N": str(position)}, **more})
    local("PutItem", TableName="items", Item={"pk": {"S": "b"}, "sk": sort_keys[0]})


def query(local: Any, text: str = "pk = :p", values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = local(
        "Query",
        TableName="items",
        KeyConditionExpression=text,
        ExpressionAttributeValues={**PARTITION, **(values or {})},
        **more,
    )
    return answer


def sort_keys(answer: dict[str, Any]) -> list[str]:
    return [next(iter(item["sk"].values())) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("kind", "in_order"),
    [
        ("N", ["-1000000", "-2.5", "-2", "-0.001", "0", "1E-130", "0.5", "9", "10", "100.5", "1E+125"]),
        ("S", ["A", "B", "Z", "a", "aa", "ab", "\u00e9", "\uffff", "\U0001f600"]),
        ("B", [b64encode(raw).decode() for raw in (b"\x00", b"\x00\x01", b"\x7f", b"\x80", b"\xff", b"\xff\x00")]),
    ],
)
def test_items_come_in_the_order_of_their_sort_keys(local: Any, kind: str, in_order: list[str]) -> None:
    shuffled = in_order[::2] + in_order[1::2]
    fill(local, [{kind: key} for key in shuffled], kind)
    forward = [int(item["nr"]["N"]) for item in query(local)["Items"]]
    assert [shuffled[position] for position in forward] == in_order
    backward = [int(item["nr"]["N"]) for item in query(local, ScanIndexForward=False)["Items"]]
    assert backward == forward[::-1]


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=15, unique=True), st.text(min_size=1, max_size=2))
def test_begins_with_finds_exactly_the_keys_with_the_prefix(local_with_once: Any, keys: list[str], prefix: str) -> None:
    local = local_with_once
    name = f"t{local.store.new_storage_id()}-table"
    local.table(name)
    for key in keys:
        local("PutItem", TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": key}})
    answer = local(
        "Query",
        TableName=name,
        KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
        ExpressionAttributeValues={**PARTITION, ":s": {"S": prefix}},
    )
    assert sort_keys(answer) == sorted((key for key in keys if key.startswith(prefix)), key=str.encode)


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("sk = :a", {":a": "3"}, ["3"]),
        ("sk < :a", {":a": "3"}, ["1", "2"]),
        ("sk <= :a", {":a": "3"}, ["1", "2", "3"]),
        ("sk > :a", {":a": "3"}, ["4", "5"]),
        (":a < sk", {":a": "3"}, ["4", "5"]),
        ("sk >= :a", {":a": "3"}, ["3", "4", "5"]),
        ("sk BETWEEN :a AND :b", {":a": "2", ":b": "4"}, ["2", "3", "4"]),
        ("(sk BETWEEN :a AND :b)", {":a": "2", ":b": "2"}, ["2"]),
    ],
)
def test_a_key_condition_selects_a_run(local: Any, condition: str, values: dict[str, str], found: list[str]) -> None:
    fill(local, [{"N": str(number)} for number in range(1, 6)], "N")
    answer = query(local, f"pk = :p AND {condition}", {name: {"N": value} for name, value in values.items()})
    assert sort_keys(answer) == found
    assert answer["Count"] == answer["ScannedCount"] == len(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sk = :s", "Query condition missed key schema element: pk"),
        ("pk > :p", "Query key condition not supported"),
        ("pk = :p OR sk = :s", "Invalid operator used in KeyConditionExpression: OR"),
        ("pk = :p AND NOT sk = :s", "Invalid operator used in KeyConditionExpression: NOT"),
        ("pk = :p AND sk <> :s", "Invalid operator used in KeyConditionExpression: <>"),
        ("pk = :p AND contains(sk, :s)", "Invalid operator used in KeyConditionExpression: contains"),
        ("pk = :p AND nr = :s", "Query condition missed key schema element: sk"),
        ("pk = :p AND size(sk) = :s", "KeyConditionExpressions cannot contain nested operations"),
        ("pk = :p AND sk = :s AND sk = :s", "KeyConditionExpressions must only contain one condition per key"),
        ("pk = :p AND sk.x = :s", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (
            "pk = :p AND sk = :n",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ],
)
def test_a_key_condition_that_is_none_is_refused(local: Any, refused: Any, text: str, words: str) -> None:
    fill(local, [{"S": "1"}], "S")
    values = {":p": {"S": "a"}, ":s": {"S": "1"}, ":n": {"N": "1"}}
    with refused("ValidationException", words):
        local(
            "Query",
            TableName="items",
            KeyConditionExpression=text,
            ExpressionAttributeValues={name: value for name, value in values.items() if name in text},
        )


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 10, 11])
def test_pages_join_to_the_whole(local: Any, forward: bool, limit: int) -> None:
    fill(local, [{"N": str(number)} for number in range(10)], "N")
    found: list[str] = []
    start: dict[str, Any] = {}
    pages = 0
    while True:
        page = query(local, Limit=limit, ScanIndexForward=forward, **start)
        found += sort_keys(page)
        pages += 1
        if "LastEvaluatedKey" not in page:
            break
        assert page["Count"] == limit
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == [str(number) for number in (range(10) if forward else range(9, -1, -1))]
    # A page that is exactly full names its last item, even when nothing follows: as on AWS.
    assert pages == 10 // limit + 1


def test_a_page_ends_with_the_item_that_reaches_one_megabyte(local: Any) -> None:
    fill(local, [{"N": str(number)} for number in range(5)], "N", x={"S": "y" * 300_000})
    page = query(local)
    assert sort_keys(page) == ["0", "1", "2", "3"]
    assert page["LastEvaluatedKey"]["sk"] == {"N": "3"}
    counted = query(local, Select="COUNT", FilterExpression="nr > :two", values={":two": {"N": "2"}})
    assert (counted["Count"], counted["ScannedCount"], "Items" in counted) == (1, 4, False)


@pytest.mark.parametrize("capacity", ["NONE", "TOTAL"])
def test_a_page_of_few_large_items_ends_at_one_megabyte_too(local: Any, capacity: str) -> None:
    fill(local, [{"N": str(number)} for number in range(6)], "N", x={"S": "y" * 300_000})
    answer = query(local, Limit=5, ReturnConsumedCapacity=capacity)
    assert (answer["Count"], answer["LastEvaluatedKey"]["sk"]) == (4, {"N": "3"})


_SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=8)),
    st.builds(lambda raw: {"B": b64encode(raw).decode()}, st.binary(max_size=8)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**38) + 1, 10**38 - 1)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda texts: {"SS": texts}, st.lists(st.text(max_size=3), min_size=1, unique=True)),
    st.builds(lambda numbers: {"NS": list(map(str, numbers))}, st.lists(st.integers(), min_size=1, unique=True)),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda members: {"L": members}, st.lists(inner, max_size=4)),
        st.builds(lambda members: {"M": members}, st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    ),
    max_leaves=8,
)


@given(item=st.dictionaries(st.text(max_size=4), _VALUES, max_size=5))
def test_an_item_is_never_larger_than_its_json(item: Any) -> None:
    # Pages whose JSON is below a megabyte are not measured.
    try:
        size = check_item(item)
    except ApiError:
        assume(False)
    assert size <= len(orjson.dumps(item))


def test_a_filter_comes_after_the_limit(local: Any) -> None:
    fill(local, [{"N": str(number)} for number in range(6)], "N")
    page = query(local, Limit=3, FilterExpression="nr >= :two", values={":two": {"N": "2"}})
    assert (sort_keys(page), page["Count"], page["ScannedCount"]) == (["2"], 1, 3)


def test_a_filter_may_not_name_key_attributes(local: Any, refused: Any) -> None:
    fill(local, [{"N": "1"}], "N")
    with refused(
        "ValidationException",
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
    ):
        query(local, FilterExpression="sk > :p")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"pk": {"S": "a"}}, "The provided starting key is invalid"),
        (
            {"pk": {"S": "b"}, "sk": {"N": "1"}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"S": "1"}},
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
    ],
)
def test_a_start_key_that_is_none_is_refused(local: Any, refused: Any, start: Any, words: str) -> None:
    fill(local, [{"N": "1"}], "N")
    with pytest.raises(Exception, match="ValidationException: The provided starting key is") as refusal:
        query(local, ExclusiveStartKey=start)
    assert refusal.value.message.startswith(words)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "sk"},
            "Cannot specify the ProjectionExpression when choosing to get COUNT",
        ),
        ({"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            {"Limit": 0},
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"Select": "NOPE"},
            "1 validation error detected: Value 'NOPE' at 'select' failed to satisfy constraint: Member must satisfy "
            "enum value set: [ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, SPECIFIC_ATTRIBUTES, COUNT]",
        ),
    ],
)
def test_a_wish_that_contradicts_itself_is_refused(local: Any, refused: Any, more: dict[str, Any], words: str) -> None:
    fill(local, [{"N": "1"}], "N")
    with refused("ValidationException", words):
        query(local, **more)


def test_a_projection_keeps_the_structure_and_closes_the_gaps(local: Any) -> None:
    nested = {"M": {"l": {"L": [{"N": "0"}, {"N": "1"}, {"M": {"x": {"S": "y"}, "z": {"S": "w"}}}]}, "k": {"S": "v"}}}
    fill(local, [{"N": "1"}], "N", m=nested)
    answer = query(local, ProjectionExpression="m.l[2].x, m.l[0], nr, absent")
    assert answer["Items"] == [
        {"m": {"M": {"l": {"L": [{"N": "0"}, {"M": {"x": {"S": "y"}}}]}}}, "nr": {"N": "0"}},
    ]


def test_segments_of_a_scan_are_disjoint_and_complete(local: Any) -> None:
    local.table(sort=None)
    for number in range(100):
        local("PutItem", TableName="items", Item={"pk": {"S": f"user-{number}"}})
    whole = [item["pk"]["S"] for item in local("Scan", TableName="items")["Items"]]
    parts: list[str] = []
    for segment in range(7):
        start: dict[str, Any] = {}
        while True:
            page = local("Scan", TableName="items", Segment=segment, TotalSegments=7, Limit=4, **start)
            parts += [item["pk"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert parts == whole
    assert len(set(parts)) == 100


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"Segment": 1},
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present",
        ),
        (
            {"TotalSegments": 2},
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present",
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            "Segment: 2 is not less than TotalSegments: 2",
        ),
    ],
)
def test_segments_that_are_none_are_refused(local: Any, refused: Any, more: dict[str, Any], words: str) -> None:
    local.table()
    with refused("ValidationException", words):
        local("Scan", TableName="items", **more)
