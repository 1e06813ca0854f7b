"""What every operation needs: finding what is asked for, refusing what cannot be, cutting answers into pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.service import AutoScaling
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Params, Result

T = TypeVar("T")


def invalid(message: str) -> AwsError:
    """AWS: ``ValidationError``, the code of most refusals of this service."""
    return AwsError("ValidationError", message)


def required(params: Params, name: str) -> Any:
    """A parameter that must be there, even if the client did not check."""
    if params.get(name) is None:
        member = name[0].lower() + name[1:]
        raise invalid(
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null"
        )
    return params[name]


def unsupported(params: Params, names: Sequence[str]) -> None:
    """Refuse what the lab would have to ignore: never a silent success."""
    for name in names:
        if params.get(name):
            raise invalid(f"{name} is not supported by the lab. See docs/differences-from-aws.md.")


def page(items: Sequence[T], params: Params, size: int = 50, largest: int = 100) -> tuple[list[T], dict[str, str]]:
    """One page and, if there is more, ``{"NextToken": ...}``. ``size`` is AWS's default for ``MaxRecords``."""
    records = params.get("MaxRecords") or size
    if not 1 <= records <= largest:
        raise invalid(f"MaxRecords must be between 1 and {largest}.")
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        raise AwsError("InvalidNextToken", f"The token '{token}' is invalid.")
    start = int(token)
    rest = {"NextToken": str(start + records)} if start + records < len(items) else {}
    return list(items[start : start + records]), rest


class Asking:
    """The base of the operations of one noun."""

    def __init__(self, service: AutoScaling) -> None:
        self.service = service

    @property
    def lab(self) -> Surroundings:
        return self.service.surroundings

    @property
    def now(self) -> float:
        return self.lab.clock.now()

    def group_named(self, params: Params) -> Group:
        name = required(params, "AutoScalingGroupName")
        if name not in self.service.groups:
            raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        return self.service.groups[name]

    def member_named(self, instance_id: str) -> tuple[Group, Member]:
        found = self.service.member(instance_id)
        if found is None:
            raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
        return found

    def members_named(self, group: Group, instance_ids: Sequence[str]) -> list[Member]:
        """All of them, or an error that names the first that is not in ``group``."""
        for instance_id in instance_ids:
            if instance_id not in group.members:
                raise invalid(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
        return [group.members[instance_id] for instance_id in instance_ids]


__all__ = ["Asking", "Params", "Result", "invalid", "page", "required", "unsupported"]
