"""EC2's ``Filters``: every filter must match one of its values; ``*`` and ``?`` are wildcards. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import Instance

_FACTS: dict[str, Callable[[Instance], Iterable[str | None]]] = {
    "availability-zone": lambda i: [i.subnet.availability_zone],
    "client-token": lambda i: [i.client_token],
    "iam-instance-profile.arn": lambda i: [i.profile.arn if i.profile else None],
    "image-id": lambda i: [i.image.image_id],
    "instance-id": lambda i: [i.instance_id],
    "instance-state-code": lambda i: [str(i.state.code)],
    "instance-state-name": lambda i: [str(i.state)],
    "instance-type": lambda i: [i.instance_type],
    "instance.group-id": lambda i: i.security_group_ids,
    "ip-address": lambda i: [i.address if i.public else None],
    "key-name": lambda i: [i.key_name],
    "network-interface.group-id": lambda i: i.security_group_ids,
    "private-ip-address": lambda i: [i.address],
    "reservation-id": lambda i: [i.reservation_id],
    "subnet-id": lambda i: [i.subnet.subnet_id],
    "tag-key": lambda i: i.tags,
    "vpc-id": lambda i: [i.subnet.vpc_id],
}


def matching(instances: Iterable[Instance], filters: Iterable[Mapping[str, Any]]) -> list[Instance]:
    """Raises AwsError InvalidParameterValue for a filter EC2 does not have."""
    wanted = [(_fact(each["Name"]), [str(value) for value in each.get("Values") or ()]) for each in filters]
    return [instance for instance in instances if all(_matches(fact(instance), patterns) for fact, patterns in wanted)]


def _fact(name: str) -> Callable[[Instance], Iterable[str | None]]:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda instance: [instance.tags.get(key)]
    if name not in _FACTS:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return _FACTS[name]


def _matches(values: Iterable[str | None], patterns: list[str]) -> bool:
    return any(fnmatchcase(value, pattern) for value in values if value is not None for pattern in patterns)
