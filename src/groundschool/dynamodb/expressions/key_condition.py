"""Key conditions: which partition, and which run of its sort keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from groundschool.dynamodb.api_error import ApiError, validation
from groundschool.dynamodb.expressions.condition import CompiledCondition, Names, Values, compile_condition
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
    Placeholder,
)
from groundschool.dynamodb.values.attribute_value import Value

KIND = "KeyConditionExpression"
_OPERATORS = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
_MIRRORED = {"EQ": "EQ", "LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"}


class KeyTest(NamedTuple):
    """A test on one key attribute, in the words of the legacy ComparisonOperator."""

    operator: str
    operands: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _KeyTerm:
    """A test whose operands are still placeholders."""

    attribute: str
    operator: str
    placeholders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledKeyCondition:
    """A key condition ready to be given values."""

    condition: CompiledCondition
    terms: tuple[_KeyTerm, ...]

    def tests(self, values: Values) -> dict[str, KeyTest]:
        """The tests by attribute name."""
        return {
            term.attribute: KeyTest(term.operator, tuple([values[name] for name in term.placeholders]))
            for term in self.terms
        }


@lru_cache(maxsize=2048)
def compile_key_condition(text: str, names: Names) -> CompiledKeyCondition:
    """Raises ValidationException in AWS's words."""
    condition = compile_condition(KIND, text, names)
    terms = _terms(condition.root)
    if len({term.attribute for term in terms}) < len(terms):
        raise validation("KeyConditionExpressions must only contain one condition per key")
    if len(terms) > 2:
        raise validation("Conditions can be of length 1 or 2 only")
    return CompiledKeyCondition(condition, tuple(terms))


def _terms(node: Condition) -> list[_KeyTerm]:
    match node:
        case Combination("AND", parts):
            return [term for part in parts for term in _terms(part)]
        case Combination(operator, _):
            raise _bad_operator(operator)
        case Not():
            raise _bad_operator("NOT")
        case Membership():
            raise _bad_operator("IN")
        case Comparison("<>", _, _):
            raise _bad_operator("<>")
        case Comparison(operator, left, right):
            name = _OPERATORS[operator]
            if isinstance(left, Placeholder):
                return [_term(_MIRRORED[name], right, left)]
            return [_term(name, left, right)]
        case Between(operand, low, high):
            return [_term("BETWEEN", operand, low, high)]
        case Call("begins_with", (operand, prefix)):
            return [_term("BEGINS_WITH", operand, prefix)]
        case Call(name, _):
            raise _bad_operator(name)


def _term(operator: str, attribute: Operand, *operands: Operand) -> _KeyTerm:
    if any(isinstance(operand, Call) for operand in (attribute, *operands)):
        raise validation("KeyConditionExpressions cannot contain nested operations")
    documents = [operand for operand in (attribute, *operands) if isinstance(operand, Document)]
    if not documents:
        raise validation("Invalid condition in KeyConditionExpression: No key attribute specified")
    if len(documents) > 1:
        raise validation("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if len(documents[0].path) > 1:
        raise validation("KeyConditionExpressions cannot have conditions on nested attributes")
    if not isinstance(attribute, Document):
        shown = "begins_with" if operator == "BEGINS_WITH" else operator
        raise validation(
            f"Invalid condition in KeyConditionExpression: {shown} operator must have the key attribute "
            "as its first operand"
        )
    names = tuple(operand.name for operand in operands if isinstance(operand, Placeholder))
    return _KeyTerm(str(attribute.path[0]), operator, names)


def _bad_operator(name: str) -> ApiError:
    return validation(f"Invalid operator used in KeyConditionExpression: {name}")
