"""Operations that attach target groups to a group; registering the members is a controller's task."""

from __future__ import annotations

from collections.abc import Sequence

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required
from groundschool.cloud.autoscaling.operations.group_settings import check_target_groups, traffic_sources
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.network.data_plane import HealthState


class TargetGroupOperations(Asking):
    def attach_load_balancer_target_groups(self, call: Call, params: Params) -> Result:
        return self._attach_all(self.group_named(params), required(params, "TargetGroupARNs"))

    def detach_load_balancer_target_groups(self, call: Call, params: Params) -> Result:
        return self._detach_all(self.group_named(params), required(params, "TargetGroupARNs"))

    def describe_load_balancer_target_groups(self, call: Call, params: Params) -> Result:
        states, more = page(self._states(self.group_named(params)), params, size=100)
        answers = [{"LoadBalancerTargetGroupARN": arn, "State": state} for arn, state in states]
        return {"LoadBalancerTargetGroups": answers, **more}

    def attach_traffic_sources(self, call: Call, params: Params) -> Result:
        return self._attach_all(self.group_named(params), traffic_sources(required(params, "TrafficSources")))

    def detach_traffic_sources(self, call: Call, params: Params) -> Result:
        return self._detach_all(self.group_named(params), traffic_sources(required(params, "TrafficSources")))

    def describe_traffic_sources(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        states = self._states(group) if params.get("TrafficSourceType", "elbv2") == "elbv2" else []
        found, more = page(states, params)
        answers = [{"TrafficSource": arn, "Identifier": arn, "Type": "elbv2", "State": state} for arn, state in found]
        return {"TrafficSources": answers, **more}

    def _attach_all(self, group: Group, arns: Sequence[str]) -> Result:
        check_target_groups(self.lab, arns)
        group.target_groups = tuple(dict.fromkeys([*group.target_groups, *arns]))
        return {}

    def _detach_all(self, group: Group, arns: Sequence[str]) -> Result:
        for arn in arns:
            if arn not in group.target_groups:
                raise invalid(f"Trying to remove Target Groups that are not part of the group: {arn}")
        group.target_groups = tuple(arn for arn in group.target_groups if arn not in arns)
        return {}

    def _states(self, group: Group) -> list[tuple[str, str]]:
        leaving = {arn for member in group.counted for arn in member.draining} - set(group.target_groups)
        return [
            *((arn, self._state(group, arn)) for arn in group.target_groups),
            *((arn, "Removing") for arn in leaving),
        ]

    def _state(self, group: Group, arn: str) -> str:
        """AWS: Adding until all are registered, Added, and InService once one of them is healthy."""
        members = group.counted
        if any(arn not in member.registered for member in members):
            return "Adding"
        healthy = any(self.lab.targets.health(arn, each.instance_id).state is HealthState.HEALTHY for each in members)
        return "InService" if healthy else "Added"
