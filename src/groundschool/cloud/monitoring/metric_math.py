"""Metric math as far as target tracking and a dashboard need it.

    m1 / m2 * 100        + - * / and comparisons (1 or 0), per timestamp
    FILL(m1, 0)          FILL(m1, REPEAT): a value for every period without data
    SUM([m1, m2])        also AVG, MIN, MAX; of one series: over its time, a single number
    SUM(METRICS())       all metrics of the request
    IF(m1 > 10, m2, 0)   ABS, CEIL, FLOOR

An expression is parsed by Python's parser and walked by this module: nothing else can be called, nothing is executed.
Dividing by zero leaves the timestamp without a value, as on AWS.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence

Series = dict[float, float]
"""Period start in lab seconds -> value."""
Value = Series | float | list[Series]

LONGEST = 1024
"""Characters of an expression."""


class MathError(ValueError):
    """The expression is malformed, or uses what the lab does not know; the message says which part."""


_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


_AGGREGATE: dict[str, Callable[[Sequence[float]], float]] = {"SUM": sum, "AVG": _average, "MIN": min, "MAX": max}
_ROUND: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


_WORDS = {*_AGGREGATE, *_ROUND, "FILL", "IF", "METRICS", "REPEAT"}


def names_in(expression: str) -> set[str]:
    """The ids an expression refers to; raises :class:`MathError`. ``METRICS()`` refers to none by name."""
    return {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)} - _WORDS


def compute(
    expression: str, known: Mapping[str, Value], metrics: Sequence[Series], periods: Sequence[float]
) -> Series | float:
    """The value of ``expression``; raises :class:`MathError`.

    ``known`` is by id, ``metrics`` what METRICS() stands for, ``periods`` the starts of all periods asked for.
    """
    try:
        result = _Evaluation(known, metrics, periods).value(_parse(expression).body)
    except RecursionError:
        raise MathError("The expression is nested too deeply") from None
    except OverflowError:
        raise MathError("The expression's numbers are too large") from None
    if isinstance(result, list):
        raise MathError("The expression has several time series as its result; the lab supports one")
    return result


def _parse(expression: str) -> ast.Expression:
    if len(expression) > LONGEST:
        raise MathError(f"The expression has more than {LONGEST} characters")
    try:
        return ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise MathError(f"The expression {expression!r} cannot be parsed") from None


class _Evaluation:
    def __init__(self, known: Mapping[str, Value], metrics: Sequence[Series], periods: Sequence[float]) -> None:
        self._known = known
        self._metrics = metrics
        self._periods = periods

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in self._known:
                return self._known[name]
            case ast.List(elts=parts):
                return [self._series(part) for part in parts]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _combine(operator.sub, 0.0, self._number_or_series(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _combine(_BINARY[type(op)], self._number_or_series(left), self._number_or_series(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                return _combine(_COMPARE[type(op)], self._number_or_series(left), self._number_or_series(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise MathError(f"The lab's metric math does not know {ast.unparse(node)!r}")

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        match name, arguments:
            case "METRICS", []:
                return list(self._metrics)
            case "FILL", [what, ast.Name(id="REPEAT")]:
                return self._repeat(self._series(what))
            case "FILL", [what, filler]:
                return self._fill(self._series(what), self._number_or_series(filler))
            case "IF", [condition, then, otherwise]:
                return self._choose(*(self._number_or_series(part) for part in (condition, then, otherwise)))
            case _, [what] if name in _AGGREGATE:
                return _aggregate(_AGGREGATE[name], self.value(what))
            case _, [what] if name in _ROUND:
                rounding = _ROUND[name]
                return _combine(lambda left, _right: rounding(left), self._number_or_series(what), 0.0)
        raise MathError(f"The lab's metric math has no function {name} with {len(arguments)} arguments")

    def _number_or_series(self, node: ast.expr) -> Series | float:
        found = self.value(node)
        if isinstance(found, list):
            raise MathError(f"{ast.unparse(node)!r} is several time series; one is needed")
        return found

    def _series(self, node: ast.expr) -> Series:
        found = self._number_or_series(node)
        return found if isinstance(found, dict) else dict.fromkeys(self._periods, found)

    def _repeat(self, series: Series) -> Series:
        filled: Series = {}
        last: float | None = None
        for at in self._periods:
            last = series.get(at, last)
            if last is not None:
                filled[at] = last
        return filled

    def _fill(self, series: Series, filler: Series | float) -> Series:
        other = filler if isinstance(filler, dict) else dict.fromkeys(self._periods, filler)
        return dict(sorted({**other, **series}.items()))

    def _choose(self, condition: Series | float, then: Series | float, otherwise: Series | float) -> Series | float:
        if not isinstance(condition, dict):
            return then if condition else otherwise
        chosen = {}
        for at, true in condition.items():
            branch = then if true else otherwise
            value = branch.get(at) if isinstance(branch, dict) else branch
            if value is not None:
                chosen[at] = value
        return chosen


def _combine(function: Callable[[float, float], float], left: Series | float, right: Series | float) -> Series | float:
    """Per timestamp that both sides have; a single number goes with every timestamp."""
    moments = [side.keys() for side in (left, right) if isinstance(side, dict)]
    if not moments:
        result = _applied(function, _at(left, 0.0), _at(right, 0.0))
        if result is None:
            raise MathError("The expression divides by zero")
        return result
    both = sorted(set.intersection(*map(set, moments)))
    combined = {at: _applied(function, _at(left, at), _at(right, at)) for at in both}
    return {at: value for at, value in combined.items() if value is not None}


def _at(side: Series | float, moment: float) -> float:
    return side[moment] if isinstance(side, dict) else side


def _applied(function: Callable[[float, float], float], left: float, right: float) -> float | None:
    try:
        return float(function(left, right))
    except ZeroDivisionError:
        return None


def _aggregate(function: Callable[[Sequence[float]], float], what: Value) -> Series | float:
    if isinstance(what, float):
        return what
    if isinstance(what, dict):
        return function(list(what.values())) if what else {}
    moments = sorted({at for series in what for at in series})
    return {at: function([series[at] for series in what if at in series]) for at in moments}
