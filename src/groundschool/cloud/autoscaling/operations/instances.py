"""Operations on single instances: describe, mark, protect, terminate."""

from __future__ import annotations

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.activity import Activity
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import HealthStatus
from groundschool.cloud.autoscaling.member import Member, Unhealthy
from groundschool.cloud.autoscaling.operations.answers import activity_answer, instance_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required
from groundschool.cloud.autoscaling.transitions import begin_termination
from groundschool.cloud.call import Call, Params, Result


class InstanceOperations(Asking):
    def describe_auto_scaling_instances(self, call: Call, params: Params) -> Result:
        wanted = params.get("InstanceIds")
        found = [
            instance_answer(group, member)
            for group in self.service.groups.values()
            for member in group.members.values()
            if not wanted or member.instance_id in wanted
        ]
        answers, more = page(found, params, size=50, largest=50)
        return {"AutoScalingInstances": answers, **more}

    def set_instance_health(self, call: Call, params: Params) -> Result:
        """AWS: within the grace period the call has no effect, unless told not to respect it."""
        group, member = self.member_named(required(params, "InstanceId"))
        status = required(params, "HealthStatus")
        if status not in list(HealthStatus):
            raise invalid(f"Health status must be Healthy or Unhealthy, not {status}.")
        if status == HealthStatus.HEALTHY:
            member.unhealthy = None
        elif not (params.get("ShouldRespectGracePeriod", True) and self._in_grace_period(group, member)):
            member.unhealthy = member.unhealthy or Unhealthy.USER
        return {}

    def _in_grace_period(self, group: Group, member: Member) -> bool:
        since = member.in_service_at
        return since is None or self.now < since + group.settings.health_check_grace_period

    def set_instance_protection(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        protect = required(params, "ProtectedFromScaleIn")
        for member in self.members_named(group, required(params, "InstanceIds")):
            member.protected = protect
        return {}

    def terminate_instance_in_auto_scaling_group(self, call: Call, params: Params) -> Result:
        group, member = self.member_named(required(params, "InstanceId"))
        decrement = required(params, "ShouldDecrementDesiredCapacity")
        activity = member.activity
        if not member.terminating or activity is None:
            activity = self._terminate(group, member, decrement)
        return {"Activity": activity_answer(self.lab, group, activity)}

    def _terminate(self, group: Group, member: Member, decrement: bool) -> Activity:
        before = len(group.counted)
        if decrement and member.counts:
            if group.desired_capacity <= group.settings.min_size:
                raise invalid(
                    f"Currently, desiredSize equals minSize ({group.settings.min_size}). Terminating instance without "
                    "replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity "
                    "flag to false or lower group's min size."
                )
            group.desired_capacity -= 1
        shrinks = (before, before - 1) if decrement and member.counts else None
        cause = causes.sentence(self.lab.at(self.now), causes.user_terminated(member.instance_id, shrinks))
        return begin_termination(group, member, cause, self.now)
