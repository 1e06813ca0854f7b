"""Calls of functions in expressions: known names, the number of operands, and operands that must be paths."""

from __future__ import annotations

from collections.abc import Mapping

from groundschool.dynamodb.expressions.document_path import References
from groundschool.dynamodb.expressions.syntax import Call, Document

_OF_PATHS = frozenset({"attribute_exists", "attribute_not_exists", "if_not_exists"})
"""Functions whose first operand must be a document path."""


def check_call(call: Call, functions: Mapping[str, int], refers: References) -> bool:
    """Whether the call is right; ``functions`` are those of this kind of expression, with their numbers of operands.

    What is wrong is noted in ``refers``, in AWS's words.
    """
    wanted = functions.get(call.name)
    if wanted is None:
        refers.problem("unknown function", f"Invalid function name; function: {call.name}")
    elif wanted != len(call.arguments):
        refers.problem(
            "operands",
            "Incorrect number of operands for operator or function; "
            f"operator or function: {call.name}, number of operands: {len(call.arguments)}",
        )
    elif call.name in _OF_PATHS and not isinstance(call.arguments[0], Document):
        refers.problem("path", f"Operator or function requires a document path; operator or function: {call.name}")
    else:
        return True
    return False
