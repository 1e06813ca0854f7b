"""Query: the items of one partition, in the order of their sort keys."""

from __future__ import annotations

from collections.abc import Mapping

from groundschool.dynamodb.api_error import invalid_parameters, validation
from groundschool.dynamodb.expressions import legacy
from groundschool.dynamodb.expressions.key_condition import KeyTest
from groundschool.dynamodb.expressions.parameters import ExpressionParameters, refuse_mixed_styles
from groundschool.dynamodb.operations.item_write import refuse_nested_keys
from groundschool.dynamodb.operations.page import PreparedRead
from groundschool.dynamodb.operations.read_plan import ReadPlan, Source, plan_read, source_of, start_position, wish_of
from groundschool.dynamodb.operations.request import Params
from groundschool.dynamodb.operations.single_item import attributes_to_get
from groundschool.dynamodb.storage.rows import EVERYTHING, Run, SortRange
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.definition import KeyAttribute, KeySchema, TableDefinition
from groundschool.dynamodb.values import key_encoding

_NOT_INDEXABLE = frozenset({"NULL", "NOT_NULL", "NE", "CONTAINS", "NOT_CONTAINS", "IN"})
_EXPRESSIONS = ("ProjectionExpression", "FilterExpression", "KeyConditionExpression")
_LEGACY = ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions")


def query(params: Params) -> PreparedRead:
    """AWS: Query. One page, from the table or one of its indexes."""
    # KeyConditions may be combined with the other expressions; the other legacy parameters may not.
    with_expression = params.get("KeyConditionExpression") is not None
    refuse_mixed_styles(params, _EXPRESSIONS, _LEGACY if with_expression else _LEGACY[:-1])
    if not with_expression and params.get("KeyConditions") is None:
        raise validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    expressions = ExpressionParameters(params)
    tests = _key_tests(params, expressions)
    names = params.get("AttributesToGet")
    projection = attributes_to_get(names) if names is not None else None
    filtered = expressions.condition("FilterExpression", params.get("FilterExpression"))
    projection = projection or expressions.projection(params.get("ProjectionExpression"))
    expressions.finish()
    test = legacy.filter_test(params.get("QueryFilter"), params.get("ConditionalOperator"))
    if filtered is not None:
        matches, values = filtered.matches, expressions.values
        test = lambda item: matches(item, values)  # noqa: E731

    def plan(table: StoredTable) -> ReadPlan:
        source = source_of(table, params)
        run = _run(source, tests, params)
        if filtered is not None:
            _refuse_key_filter("Filter Expression", filtered.top_level_names(), source.key)
            refuse_nested_keys(table.definition, filtered.paths)
        elif test is not None:
            _refuse_key_filter("QueryFilter", frozenset(params["QueryFilter"]), source.key)
        if projection is not None:
            refuse_nested_keys(table.definition, projection.paths)
        assert run.partition is not None
        return plan_read(source, run, wish_of(source, params, test, projection), params, booked_on=run.partition)

    return PreparedRead(params["TableName"], plan)


def _key_tests(params: Params, expressions: ExpressionParameters) -> dict[str, KeyTest]:
    text = params.get("KeyConditionExpression")
    if text is None:
        return legacy.key_tests(params["KeyConditions"])
    return expressions.key_condition(text).tests(expressions.values)


def _refuse_key_filter(parameter: str, names: frozenset[str], key: KeySchema) -> None:
    for name in key.names:
        if name in names:
            raise validation(f"{parameter} can only contain non-primary key attributes: Primary key attribute: {name}")


def _run(source: Source, tests: Mapping[str, KeyTest], params: Params) -> Run:
    key = source.key
    _check_tests(key, tests)
    partition = key_encoding.partition(tests[key.hash.name].operands[0], key.hash.type)
    _check_key_sizes(source.table.definition, key, tests)
    sort_test = None if key.range is None else tests.get(key.range.name)
    sort = EVERYTHING if sort_test is None or key.range is None else sort_range(sort_test, key.range)
    start = params.get("ExclusiveStartKey")
    after = None
    if start is not None:
        after = start_position(source, start)
        if after[0] != partition:
            raise validation(
                "The provided starting key is outside query boundaries based on provided conditions"
                if sort_test is None
                else "The query can return at most one row and cannot be restarted"
            )
        if sort_test is not None and key.range is not None and not legacy.holds(sort_test, start[key.range.name]):
            raise validation("The provided starting key does not match the range key predicate")
        after = after[1:]
    return Run(partition, sort, after=after, forward=params.get("ScanIndexForward") is not False)


def _check_tests(key: KeySchema, tests: Mapping[str, KeyTest]) -> None:
    if key.range is None and len(tests) > 1:
        raise validation("Query key condition not supported")
    for attribute in key:
        test = tests.get(attribute.name)
        is_hash = attribute is key.hash
        if test is None:
            if is_hash or len(tests) > 1:
                raise validation(f"Query condition missed key schema element: {attribute.name}")
            continue
        if test.operator in _NOT_INDEXABLE:
            raise validation("Attempted conditional constraint is not an indexable operation")
        if any(attribute.type not in operand for operand in test.operands):
            raise invalid_parameters("Condition parameter type does not match schema type")
        if is_hash and test.operator != "EQ":
            raise validation("Query key condition not supported")


def _check_key_sizes(definition: TableDefinition, key: KeySchema, tests: Mapping[str, KeyTest]) -> None:
    for attribute in key:
        test = tests.get(attribute.name)
        if test is None or test.operator == "BEGINS_WITH":
            continue
        for operand in test.operands:
            if not key_encoding.encode(operand, attribute.type):
                kind = "string" if attribute.type == "S" else "binary"
                raise validation(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
                    f"contain an empty {kind} value. "
                    + (f"Key: {attribute.name}" if key is definition.key else f"IndexKey: {attribute.name}")
                )


def sort_range(test: KeyTest, attribute: KeyAttribute) -> SortRange:
    """The run of encoded sort keys that pass the test."""
    low = key_encoding.encode(test.operands[0], attribute.type)
    match test.operator:
        case "EQ":
            return SortRange(low, low)
        case "LT":
            return SortRange(high=low, high_included=False)
        case "LE":
            return SortRange(high=low)
        case "GT":
            return SortRange(low, low_included=False)
        case "GE":
            return SortRange(low)
        case "BETWEEN":
            return SortRange(low, key_encoding.encode(test.operands[1], attribute.type))
        case _:
            if attribute.type == "N":
                raise invalid_parameters("ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type")
            return SortRange(low, key_encoding.after_prefix(low), high_included=False)
