"""Which targets are registered with which target group, and which of them are draining."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.network.data_plane import (
    DRAINING,
    NOT_IN_USE,
    NOT_REGISTERED,
    DataPlane,
    HealthState,
    TargetHealth,
)
from groundschool.cloud.passive.balancer_records import BalancerRecords, ListenerRecord, TargetGroupRecord

DEREGISTRATION_DELAY_SECONDS = 300.0
"""AWS: target group attribute ``deregistration_delay.timeout_seconds``, its default."""


@dataclass(frozen=True)
class Registration:
    instance_id: str
    port: int
    draining_until: float | None = None
    """Lab seconds; None while it is in service."""


class TargetRegistry:
    """Called under the lab's lock only. Also the ``Targets`` that Auto Scaling sees."""

    def __init__(
        self, records: BalancerRecords, instances: Instances, data_plane: DataPlane, now: Callable[[], float]
    ) -> None:
        self._records = records
        self._instances = instances
        self._data_plane = data_plane
        self._now = now
        self._registrations: dict[str, dict[tuple[str, int], Registration]] = {}

    def registrations(self, target_group_arn: str) -> list[Registration]:
        return list(self._registrations.get(target_group_arn, {}).values())

    def group(self, target_group_arn: str) -> TargetGroupRecord:
        """Raises AwsError TargetGroupNotFound."""
        record = self._records.target_group(target_group_arn)
        if record is None:
            raise AwsError("TargetGroupNotFound", f"Target groups '{target_group_arn}' not found")
        return record

    def exists(self, target_group_arn: str) -> bool:
        return self._records.target_group(target_group_arn) is not None

    def register(self, target_group_arn: str, instance_id: str, port: int | None = None) -> None:
        """Raises AwsError InvalidTarget when there is no such instance, or it does not run."""
        group = self.group(target_group_arn)
        instance = self._instances.find(instance_id)
        if instance is None:
            raise AwsError("InvalidTarget", f"The following targets are not valid instances: '{instance_id}'")
        if instance.state is not State.RUNNING:
            raise AwsError(
                "InvalidTarget",
                f"The following targets are not in a running state and cannot be registered: '{instance_id}'",
            )
        registration = Registration(instance_id, port or group.port)
        self._registrations.setdefault(target_group_arn, {})[instance_id, registration.port] = registration

    def deregister(self, target_group_arn: str, instance_id: str, port: int | None = None) -> None:
        """Starts draining; at once gone when no load balancer uses the target group (nothing is in flight)."""
        group = self.group(target_group_arn)
        known = self._registrations.get(target_group_arn, {})
        delay = float(group.attributes.get("deregistration_delay.timeout_seconds", DEREGISTRATION_DELAY_SECONDS))
        for key in [key for key in known if key[0] == instance_id and port in (None, key[1])]:
            if not self._in_use(target_group_arn):
                del known[key]
            elif known[key].draining_until is None:
                known[key] = Registration(instance_id, key[1], self._now() + delay)

    def forget_instance(self, instance_id: str) -> None:
        """A terminated instance is no target any more."""
        for known in self._registrations.values():
            for key in [key for key in known if key[0] == instance_id]:
                del known[key]

    def health(self, target_group_arn: str, instance_id: str, port: int | None = None) -> TargetHealth:
        known = self._registrations.get(target_group_arn, {})
        found = [each for key, each in known.items() if key[0] == instance_id and port in (None, key[1])]
        return self._health(target_group_arn, found[0]) if found else NOT_REGISTERED

    def step(self, now: float) -> None:
        """Ends the draining of those whose time is over, and forgets target groups that were deleted."""
        groups = self._records.target_groups()
        for arn in list(self._registrations):
            if arn not in groups:
                del self._registrations[arn]
                continue
            known = self._registrations[arn]
            for key, each in list(known.items()):
                if each.draining_until is not None and now >= each.draining_until:
                    del known[key]

    def _health(self, target_group_arn: str, registration: Registration) -> TargetHealth:
        if registration.draining_until is not None:
            return DRAINING
        instance = self._instances.find(registration.instance_id)
        if instance is not None and instance.state in (State.STOPPING, State.STOPPED):
            return TargetHealth(HealthState.UNUSED, "Target.InvalidState", "Target is in the stopped state")
        if not self._in_use(target_group_arn):
            return NOT_IN_USE
        return self._data_plane.health(target_group_arn, registration.instance_id, registration.port)

    def _in_use(self, target_group_arn: str) -> bool:
        return target_group_arn in load_balancers_by_target_group(self._records)


def load_balancers_by_target_group(records: BalancerRecords) -> dict[str, tuple[str, ...]]:
    """Target group ARN -> the ARNs of the load balancers with a listener or rule that forwards to it."""
    used: dict[str, tuple[str, ...]] = {}
    for balancer in records.load_balancers():
        for arn in {arn for listener in balancer.listeners for arn in _forwarded_to(listener)}:
            used[arn] = (*used.get(arn, ()), balancer.arn)
    return used


def _forwarded_to(listener: ListenerRecord) -> Iterator[str]:
    for actions in (listener.default_actions, *(rule.actions for rule in listener.rules)):
        for action in actions:
            if action.get("TargetGroupArn"):
                yield action["TargetGroupArn"]
            for each in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
                yield each["TargetGroupArn"]
