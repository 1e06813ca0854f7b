"""Every recorded operation, asked about something that does not exist, answers as AWS: never with a 500."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

from tests.front_door.conftest import ONE_TRY, Door

SERVICES = ("acm", "ec2", "elbv2", "iam", "ssm", "sts")
NAMING = ("Id", "Ids", "Arn", "Arns", "Name", "Names")


def example(shape: Any, depth: int = 0) -> Any:
    """Something the service model allows, that names nothing."""
    match shape.type_name:
        case "string":
            return shape.enum[0] if shape.enum else "unknown-0123456789abcdef".ljust(shape.metadata.get("min", 0), "0")
        case "integer" | "long" | "float" | "double":
            return max(shape.metadata.get("min", 1), 1)
        case "boolean":
            return False
        case "blob":
            return b"nothing"
        case "timestamp":
            return 0
        case "list":
            return [example(shape.member, depth + 1)]
        case "map":
            return {"k": example(shape.value, depth + 1)}
        case _:
            wanted = set(shape.required_members)
            if depth == 0:
                wanted |= {name for name in shape.members if name.endswith(NAMING)}
            return {name: example(shape.members[name], depth + 1) for name in shape.members if name in wanted}


@pytest.mark.parametrize("service", SERVICES)
def test_what_names_nothing_never_fails_the_lab(door: Door, service: str) -> None:
    client = door.client(service, config=ONE_TRY)
    model = Session().get_service_model(service)
    methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    failed = []
    for operation in sorted(door.application.operations(service)):
        shape = model.operation_model(operation).input_shape
        try:
            getattr(client, methods[operation])(**(example(shape) if shape else {}))
        except ParamValidationError as error:
            failed.append(f"{operation}: {error}")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                failed.append(f"{operation}: {error}")
    assert failed == []
