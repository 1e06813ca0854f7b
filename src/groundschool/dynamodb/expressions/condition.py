"""Conditions compiled to closures, once per text and names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from groundschool.dynamodb.api_error import validation
from groundschool.dynamodb.expressions.condition_parser import parse_condition
from groundschool.dynamodb.expressions.document_path import look_up, undefined_value
from groundschool.dynamodb.expressions.operand_types import check_operand_types
from groundschool.dynamodb.expressions.syntax import (
    Between,
    Call,
    Combination,
    Comparison,
    Condition,
    Document,
    Membership,
    Not,
    Operand,
    Path,
    Placeholder,
)
from groundschool.dynamodb.values import comparison
from groundschool.dynamodb.values.attribute_value import Item, Value, type_of

Values = Mapping[str, Value]
Names = tuple[tuple[str, str], ...]
Fetch = Callable[[Item, Values], Value | None]
Test = Callable[[Item, Values], bool]


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition ready to be asked: ``matches(item, values)``."""

    kind: str
    root: Condition
    matches: Test
    names: frozenset[str]
    values: frozenset[str]
    paths: tuple[Path, ...]

    def check(self, values: Values) -> None:
        """Raises for undefined values, and for values of types an operator does not take."""
        for name in self.values:
            if name not in values:
                raise undefined_value(self.kind, name)
        problem = check_operand_types(self.root, values)
        if problem is not None:
            raise validation(f"Invalid {self.kind}: {problem}")

    def top_level_names(self) -> frozenset[str]:
        """The attributes the condition reads."""
        return frozenset(str(path[0]) for path in self.paths)


@lru_cache(maxsize=2048)
def compile_condition(kind: str, text: str, names: Names) -> CompiledCondition:
    """``kind`` is the parameter (``FilterExpression``, ...); raises ValidationException in AWS's words."""
    parsed = parse_condition(kind, text, dict(names))
    return CompiledCondition(kind, parsed.root, _compile(parsed.root), parsed.names, parsed.values, parsed.paths)


def _compile(node: Condition) -> Test:
    match node:
        case Comparison(operator, left, right):
            return _COMPARISONS[operator](_fetch(left), _fetch(right))
        case Between(operand, low, high):
            return _between(_fetch(operand), _fetch(low), _fetch(high))
        case Membership(operand, choices):
            return _membership(_fetch(operand), [_fetch(choice) for choice in choices])
        case Not(condition):
            inner = _compile(condition)
            return lambda item, values: not inner(item, values)
        case Combination(operator, parts):
            return _all([_compile(part) for part in parts]) if operator == "AND" else _any(list(map(_compile, parts)))
        case Call(name, arguments):
            return _FUNCTIONS[name](*[_fetch(argument) for argument in arguments])


def _fetch(operand: Operand) -> Fetch:
    match operand:
        case Placeholder(name):
            return lambda _, values: values[name]
        case Document(path):
            if len(path) == 1:
                only = str(path[0])
                return lambda item, _: item.get(only)
            return lambda item, _: look_up(item, path)
        case Call(_, arguments):
            return _size(_fetch(arguments[0]))


def _size(fetch: Fetch) -> Fetch:
    def size(item: Item, values: Values) -> Value | None:
        value = fetch(item, values)
        length = None if value is None else comparison.length(value)
        return None if length is None else {"N": str(length)}

    return size


def _equals(left: Fetch, right: Fetch) -> Test:
    def equals(item: Item, values: Values) -> bool:
        mine, other = left(item, values), right(item, values)
        return mine is not None and other is not None and comparison.equal(mine, other)

    return equals


def _differs(left: Fetch, right: Fetch) -> Test:
    equals = _equals(left, right)
    return lambda item, values: not equals(item, values)


def _ordered(accepts: Callable[[int], bool]) -> Callable[[Fetch, Fetch], Test]:
    def comparator(left: Fetch, right: Fetch) -> Test:
        def compares(item: Item, values: Values) -> bool:
            mine, other = left(item, values), right(item, values)
            if mine is None or other is None:
                return False
            order = comparison.compare(mine, other)
            return order is not None and accepts(order)

        return compares

    return comparator


_COMPARISONS: dict[str, Callable[[Fetch, Fetch], Test]] = {
    "=": _equals,
    "<>": _differs,
    "<": _ordered(lambda order: order < 0),
    "<=": _ordered(lambda order: order <= 0),
    ">": _ordered(lambda order: order > 0),
    ">=": _ordered(lambda order: order >= 0),
}


def _between(operand: Fetch, low: Fetch, high: Fetch) -> Test:
    above = _COMPARISONS[">="](operand, low)
    below = _COMPARISONS["<="](operand, high)
    return lambda item, values: above(item, values) and below(item, values)


def _membership(operand: Fetch, choices: list[Fetch]) -> Test:
    def is_member(item: Item, values: Values) -> bool:
        mine = operand(item, values)
        if mine is None:
            return False
        found = (choice(item, values) for choice in choices)
        return any(other is not None and comparison.equal(mine, other) for other in found)

    return is_member


def _all(tests: list[Test]) -> Test:
    def all_hold(item: Item, values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would double the cost of the hot path
            if not test(item, values):
                return False
        return True

    return all_hold


def _any(tests: list[Test]) -> Test:
    def any_holds(item: Item, values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(item, values):
                return True
        return False

    return any_holds


def _exists(operand: Fetch) -> Test:
    return lambda item, values: operand(item, values) is not None


def _not_exists(operand: Fetch) -> Test:
    return lambda item, values: operand(item, values) is None


def _attribute_type(operand: Fetch, wanted: Fetch) -> Test:
    def has_type(item: Item, values: Values) -> bool:
        mine, kind = operand(item, values), wanted(item, values)
        return mine is not None and kind is not None and type_of(mine) == kind.get("S")

    return has_type


def _both(decide: Callable[[Value, Value], bool]) -> Callable[[Fetch, Fetch], Test]:
    def function(operand: Fetch, argument: Fetch) -> Test:
        def holds(item: Item, values: Values) -> bool:
            mine, other = operand(item, values), argument(item, values)
            return mine is not None and other is not None and decide(mine, other)

        return holds

    return function


_FUNCTIONS: dict[str, Callable[..., Test]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _not_exists,
    "attribute_type": _attribute_type,
    "begins_with": _both(comparison.begins_with),
    "contains": _both(comparison.contains),
}
