"""The parameters from before expressions: Expected, AttributeUpdates, KeyConditions, QueryFilter, ScanFilter.

AWS: developer guide, "Legacy conditional parameters". They become the same tests and changes as expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from groundschool.dynamodb.api_error import invalid_parameters, validation
from groundschool.dynamodb.expressions.key_condition import KeyTest
from groundschool.dynamodb.expressions.update import Change, added, subtracted
from groundschool.dynamodb.values import attribute_value, comparison
from groundschool.dynamodb.values.attribute_value import Item, Value, type_of

ItemTest = Callable[[Item], bool]

_COUNTS = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}
_SCALARS = frozenset({"S", "N", "B"})
_COLLECTIONS = frozenset({"SS", "NS", "BS", "L", "M", "BOOL", "NULL"})
_ALLOWED = {
    "EQ": _SCALARS | _COLLECTIONS,
    "NE": _SCALARS | _COLLECTIONS,
    "BEGINS_WITH": frozenset({"S", "B"}),
    "CONTAINS": _SCALARS | {"BOOL", "NULL"},
    "NOT_CONTAINS": _SCALARS | {"BOOL", "NULL"},
}
_ORDERS: dict[str, Callable[[int], bool]] = {
    "LT": lambda order: order < 0,
    "LE": lambda order: order <= 0,
    "GT": lambda order: order > 0,
    "GE": lambda order: order >= 0,
}


def filter_test(conditions: Mapping[str, Any] | None, operator: str | None) -> ItemTest | None:
    """QueryFilter or ScanFilter as a test; None when the parameter is absent or empty."""
    if not conditions:
        return None
    tests = []
    for name, condition in conditions.items():
        values = condition.get("AttributeValueList") or []
        _check_arguments(condition["ComparisonOperator"], values)
        tests.append((name, KeyTest(condition["ComparisonOperator"], tuple(values))))
    return _joined(tests, operator)


def key_tests(conditions: Mapping[str, Any]) -> dict[str, KeyTest]:
    """KeyConditions by attribute name."""
    tests = {}
    for name, condition in conditions.items():
        values = condition.get("AttributeValueList") or []
        _check_arguments(condition["ComparisonOperator"], values)
        tests[name] = KeyTest(condition["ComparisonOperator"], tuple(values))
    if len(tests) not in (1, 2):
        raise validation("Conditions can be of length 1 or 2 only")
    return tests


def expected_test(expected: Mapping[str, Any] | None, operator: str | None) -> ItemTest | None:
    """Expected as a test; None when the parameter is absent or empty."""
    if not expected:
        return None
    return _joined([(name, _expectation(name, condition)) for name, condition in expected.items()], operator)


def _expectation(name: str, condition: Mapping[str, Any]) -> KeyTest:
    comparator, values, value = (condition.get(key) for key in ("ComparisonOperator", "AttributeValueList", "Value"))
    exists = condition.get("Exists")
    if values is not None and value is not None:
        raise invalid_parameters(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
    if comparator is not None:
        if exists is not None:
            raise invalid_parameters(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        if comparator not in ("NULL", "NOT_NULL") and values is None and value is None:
            raise invalid_parameters(
                f"Value or AttributeValueList must be used with ComparisonOperator: {comparator} for Attribute: {name}"
            )
        operands = values or ([] if value is None else [value])
        _check_arguments(comparator, operands)
        return KeyTest(comparator, tuple(operands))
    if values is not None:
        raise invalid_parameters(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    return _existence(name, exists, value)


def _existence(name: str, exists: bool | None, value: Value | None) -> KeyTest:
    if exists is not False and value is None:
        shown = "null" if exists is None else "true"
        raise invalid_parameters(f"Value must be provided when Exists is {shown} for Attribute: {name}")
    if exists is False and value is not None:
        raise invalid_parameters(f"Value cannot be used when Exists is false for Attribute: {name}")
    if value is None:
        return KeyTest("NULL", ())
    attribute_value.check(value)
    return KeyTest("EQ", (value,))


def _check_arguments(operator: str, values: Sequence[Value]) -> None:
    for value in values:
        attribute_value.check(value)
    wrong_count = not values if operator == "IN" else len(values) != _COUNTS.get(operator, 1)
    if wrong_count:
        raise invalid_parameters(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [type_of(value) for value in values]
    if len(set(kinds)) > 1:
        raise invalid_parameters("AttributeValues inside AttributeValueList must be of same type")
    if kinds and kinds[0] not in _ALLOWED.get(operator, _SCALARS):
        raise invalid_parameters(f"ComparisonOperator {operator} is not valid for {kinds[0]} AttributeValue type")
    if operator == "BETWEEN" and (comparison.compare(values[0], values[1]) or 0) > 0:
        raise validation(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def _joined(tests: Sequence[tuple[str, KeyTest]], operator: str | None) -> ItemTest:
    combine = any if operator == "OR" else all
    return lambda item: combine(holds(test, item.get(name)) for name, test in tests)


def holds(test: KeyTest, value: Value | None) -> bool:
    """Whether an attribute (None when missing) passes a test."""
    operator, operands = test.operator, test.operands
    if operator == "NULL":
        return value is None
    if operator == "NOT_NULL":
        return value is not None
    if value is None:
        return operator in ("NE", "NOT_CONTAINS")
    match operator:
        case "EQ":
            return comparison.equal(value, operands[0])
        case "NE":
            return not comparison.equal(value, operands[0])
        case "IN":
            return any(comparison.equal(value, operand) for operand in operands)
        case "CONTAINS":
            return comparison.contains(value, operands[0])
        case "NOT_CONTAINS":
            return not comparison.contains(value, operands[0])
        case "BEGINS_WITH":
            return comparison.begins_with(value, operands[0])
        case "BETWEEN":
            low, high = comparison.compare(value, operands[0]), comparison.compare(value, operands[1])
            return low is not None and high is not None and low >= 0 >= high
        case _:
            order = comparison.compare(value, operands[0])
            return order is not None and _ORDERS[operator](order)


def check_attribute_updates(updates: Mapping[str, Any]) -> None:
    """Raises for actions without the value they need, or with one of a type they do not take."""
    for update in updates.values():
        value, action = update.get("Value"), update.get("Action") or "PUT"
        if value is None:
            if action != "DELETE":
                raise invalid_parameters("Only DELETE action is allowed when no attribute value is specified")
            continue
        attribute_value.check(value)
        kind = type_of(value)
        if action == "DELETE" and kind not in ("SS", "NS", "BS"):
            raise invalid_parameters(f"DELETE action with value is not supported for the type {kind}")
        if action == "ADD" and kind not in ("SS", "NS", "BS", "N", "L"):
            raise invalid_parameters(f"ADD action is not supported for the type {kind}")


def attribute_changes(updates: Mapping[str, Any], item: Item) -> list[Change]:
    """What AttributeUpdates does to ``item``, which is not changed."""
    return [Change((name,), _updated(update, item.get(name))) for name, update in updates.items()]


def _updated(update: Mapping[str, Any], existing: Value | None) -> Value | None:
    value: Value | None = update.get("Value")
    action = update.get("Action") or "PUT"
    if action == "PUT" or value is None:
        return value
    if existing is not None and type_of(existing) != type_of(value):
        raise validation("Type mismatch for attribute to update")
    if "L" in value:
        return {"L": [*(existing or {"L": []})["L"], *value["L"]]}
    return added(existing, value) if action == "ADD" else subtracted(existing, value)
