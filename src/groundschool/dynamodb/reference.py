"""The list of operations in ``docs/dynamodb.md``, made from the catalogue so that it cannot drift."""

from __future__ import annotations

from groundschool.dynamodb.operations.catalogue import SUPPORTED
from groundschool.dynamodb.protocol.service_model import ServiceModel

BEGIN, END = "<!-- operations: generated -->", "<!-- operations: end -->"


def operations_markdown() -> str:
    """What is answered, and what of AWS's API is refused with UnknownOperationException."""
    supported = sorted(SUPPORTED)
    refused = sorted(ServiceModel().operations - SUPPORTED.keys())
    return (
        f"{BEGIN}\n"
        f"**Supported ({len(supported)}):** {', '.join(supported)}.\n\n"
        f"**Refused, with an error that says so ({len(refused)}):** {', '.join(refused)}.\n"
        f"{END}"
    )
