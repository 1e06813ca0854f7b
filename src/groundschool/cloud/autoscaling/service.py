"""Amazon EC2 Auto Scaling, alive: the groups, one pass over their controllers, and what the rest of the lab may ask.

Everything here is called under the lab's one lock; there is none inside. Time comes in as ``now`` (lab seconds).
"""

from __future__ import annotations

import logging
from math import inf

from groundschool.cloud.autoscaling import causes, scaling
from groundschool.cloud.autoscaling.controllers import CONTROLLERS, Controller
from groundschool.cloud.autoscaling.controllers.terminate import terminate_all
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.group_metrics import group_metrics
from groundschool.cloud.autoscaling.lifecycle import target_state
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.scaling_policy import PolicyType
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.target_tracking_alarms import delete_alarms
from groundschool.cloud.autoscaling.warm_up import metric_members
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.monitoring.alarms import MetricAlarm
from groundschool.controlloop.alarm import AlarmDecision

RETRY = 60.0
"""Lab seconds until a controller that met an AWS error is run again at the latest."""

_log = logging.getLogger(__name__)


class AutoScaling:
    """All groups of the lab."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.groups: dict[str, Group] = {}
        self.deleted: list[Group] = []
        """Kept for ``DescribeScalingActivities(IncludeDeletedGroups)``, the last 20."""

    def step(self, now: float) -> float:
        """One pass over every group; returns the lab second at which to call again at the latest (``inf``: never).

        Call it sooner after any operation, alarm or change of an instance: it costs little and changes nothing twice.
        """
        again = inf
        for group in list(self.groups.values()):
            again = min([again, *(self._run(controller, group, now) for controller in CONTROLLERS)])
            if group.deleting and not group.members:
                self.forget(group)
        return again

    def _run(self, controller: Controller, group: Group, now: float) -> float:
        try:
            return controller(self.surroundings, group, now)
        except AwsError as error:
            _log.warning("%s of group %s: %s", controller.__name__, group.name, error)
            return now + RETRY
        except Exception:
            # A defect of ours in one group's pass; the other groups, and its other controllers, go on.
            _log.exception("%s of group %s failed", controller.__name__, group.name)
            return now + RETRY

    def on_alarm(self, alarm: MetricAlarm, decision: AlarmDecision, now: float) -> None:
        """For CloudWatch's alarm book: ``alarm`` is in ALARM and acts. Actions that are no policies are left alone."""
        lab = self.surroundings
        for group in self.groups.values():
            for policy in group.policies.values():
                if policy.arn not in alarm.actions.alarm:
                    continue
                if scaling.on_alarm(lab, group, policy, alarm, decision, now):
                    lab.alarms.remember_action(alarm.name, f"Successfully executed action {policy.arn}", now)

    def delete(self, group: Group, now: float) -> None:
        """Ends all instances without waiting for drains or hooks, then forgets the group; :meth:`step` does it."""
        lab = self.surroundings
        group.deleting = True
        group.resize(0, 0)
        group.change_desired(0, lab.at(now), causes.force_deleted(group.desired_capacity))
        for policy in group.policies.values():
            if policy.policy_type is PolicyType.TARGET_TRACKING:
                delete_alarms(lab.alarms, group, policy, now)
        group.policies.clear()
        group.suspended.clear()
        terminate_all(lab, group, now)
        if not group.members:
            self.forget(group)

    def forget(self, group: Group) -> None:
        """The group is deleted; only its activities are kept."""
        del self.groups[group.name]
        self.deleted = [*self.deleted[-19:], group]

    def member(self, instance_id: str) -> tuple[Group, Member] | None:
        """The group an instance belongs to, and what the group knows of it."""
        for group in self.groups.values():
            if instance_id in group.members:
                return group, group.members[instance_id]
        return None

    def target_lifecycle_state(self, instance_id: str) -> str | None:
        """IMDS ``autoscaling/target-lifecycle-state``; None (404) for an instance outside every group."""
        found = self.member(instance_id)
        return None if found is None else target_state(found[1].state).value

    def group_names(self) -> tuple[str, ...]:
        return tuple(self.groups)

    def metric_members(self, group_name: str, now: float) -> tuple[str, ...]:
        """The instances whose measurements make up the metrics of a group; empty for an unknown group."""
        group = self.groups.get(group_name)
        return metric_members(group, now) if group else ()

    def group_metrics(self) -> dict[str, dict[str, int]]:
        """Group name -> the ``AWS/AutoScaling`` metrics to publish now; groups without enabled metrics are left out."""
        return {group.name: group_metrics(group) for group in self.groups.values() if group.enabled_metrics}
