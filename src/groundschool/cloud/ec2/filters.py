"""EC2's ``Filters``: every filter must match one of its values; ``*`` and ``?`` are wildcards. Pure.

AWS: EC2 user guide, "filter resources using the CLI and API": a backslash before ``*``, ``?`` or itself makes it plain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import Instance, State

Fact = Callable[[Instance], Iterable[str | None]]


def _while_it_exists(fact: Fact) -> Fact:
    """A terminated instance is still described, but has no network any more."""
    return lambda instance: () if instance.state is State.TERMINATED else fact(instance)


_FACTS: dict[str, Fact] = {
    "availability-zone": lambda i: [i.subnet.availability_zone],
    "client-token": lambda i: [i.client_token],
    "iam-instance-profile.arn": lambda i: [i.profile.arn if i.profile else None],
    "image-id": lambda i: [i.image.image_id],
    "instance-id": lambda i: [i.instance_id],
    "instance-state-code": lambda i: [str(i.state.code)],
    "instance-state-name": lambda i: [str(i.state)],
    "instance-type": lambda i: [i.instance_type],
    "instance.group-id": _while_it_exists(lambda i: i.security_group_ids),
    "ip-address": lambda i: [i.address if i.public else None],
    "key-name": lambda i: [i.key_name],
    "network-interface.group-id": _while_it_exists(lambda i: i.security_group_ids),
    "private-ip-address": _while_it_exists(lambda i: [i.address]),
    "reservation-id": lambda i: [i.reservation_id],
    "subnet-id": _while_it_exists(lambda i: [i.subnet.subnet_id]),
    "tag-key": lambda i: i.tags,
    "vpc-id": _while_it_exists(lambda i: [i.subnet.vpc_id]),
}


def matching(instances: Iterable[Instance], filters: Iterable[Mapping[str, Any]]) -> list[Instance]:
    """Raises AwsError InvalidParameterValue for a filter EC2 does not have."""
    wanted = [(_fact(each.get("Name", "")), [str(value) for value in each.get("Values") or ()]) for each in filters]
    return [instance for instance in instances if all(matches(fact(instance), patterns) for fact, patterns in wanted)]


def _fact(name: str) -> Fact:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda instance: [instance.tags.get(key)]
    if name not in _FACTS:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return _FACTS[name]


def matches(values: Iterable[str | None], patterns: Iterable[str]) -> bool:
    """Whether one of the values is like one of the patterns."""
    listed = [_compiled(pattern) for pattern in patterns]
    return any(pattern.fullmatch(value) for value in values if value is not None for pattern in listed)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    parts = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
    return re.compile("".join(wildcards.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)
