"""Which part of the lab answers which operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from moto.core.utils import get_service_model

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Guard, Handler, Result
from groundschool.cloud.passive.application import Passive

READING = ("Describe", "Get", "List", "Head")


@dataclass(frozen=True)
class Routes:
    """The lab's operations by (service, operation)."""

    living: Mapping[tuple[str, str], Handler]
    guards: Mapping[tuple[str, str], Guard]
    passive: Mapping[str, frozenset[str]]
    """By service, what moto answers."""

    def supports(self, service: str, operation: str) -> bool:
        return (service, operation) in self.living or operation in self.passive.get(service, frozenset())

    def supported(self) -> dict[str, dict[str, str]]:
        """Service -> operation -> ``alive`` or ``record``, sorted: the list an unsupported call is pointed to."""
        found: dict[str, dict[str, str]] = {}
        for service, operations in self.passive.items():
            found.setdefault(service, {}).update(dict.fromkeys(operations, "record"))
        for service, operation in self.living:
            found.setdefault(service, {})[operation] = "alive"
        return {service: dict(sorted(found[service].items())) for service in sorted(found)}


def routes(
    services: Mapping[str, Iterable[object]], guards: Mapping[tuple[str, str], Guard], passive: Passive
) -> Routes:
    """Finds the handlers: a method named like botocore's ``xform_name`` of an operation answers that operation."""
    living: dict[tuple[str, str], Handler] = {}
    for service, parts in services.items():
        for operation in get_service_model(service).operation_names:
            for part in parts:
                handler = getattr(part, xform_name(operation), None)
                if handler is not None:
                    living[service, operation] = handler
    return Routes(living, guards, {service: passive.operations(service) for service in passive.services})


def unsupported(call: Call, list_url: str) -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        f"The lab does not support {call.service}:{call.operation}. What it supports: {list_url}",
        501 if call.service == "s3" else 400,
    )


def elsewhere(call: Call, region: str) -> Result:
    """What a living service answers outside the lab's region: there is nothing, and nothing can be made.

    AWS keeps regions apart in the same way: a learner in the wrong region sees empty lists.
    """
    if not call.operation.startswith(READING):
        raise AwsError(
            "UnsupportedOperation",
            f"This lab runs in {region}; {call.operation} was asked for {call.region}. "
            f"Set AWS_REGION={region}, or start the lab with: ground up --region {call.region}",
        )
    shape = get_service_model(call.service).operation_model(call.operation).output_shape
    members: Mapping[str, Any] = shape.members if shape is not None else {}
    return {name: [] for name, member in members.items() if member.type_name == "list"}
