"""Operations about the account and about what the service knows; and the parts of it the lab has none of."""

from __future__ import annotations

from groundschool.cloud.autoscaling.operations.asking import Asking
from groundschool.cloud.autoscaling.operations.groups import MOST_GROUPS
from groundschool.cloud.call import Call, Params, Result
from groundschool.controlloop.adjustment import AdjustmentType
from groundschool.controlloop.termination import TerminationPolicy


class AccountOperations(Asking):
    def describe_account_limits(self, call: Call, params: Params) -> Result:
        return {
            "MaxNumberOfAutoScalingGroups": MOST_GROUPS,
            "MaxNumberOfLaunchConfigurations": 0,
            "NumberOfAutoScalingGroups": len(self.service.groups),
            "NumberOfLaunchConfigurations": 0,
        }

    def describe_adjustment_types(self, call: Call, params: Params) -> Result:
        return {"AdjustmentTypes": [{"AdjustmentType": kind.value} for kind in AdjustmentType]}

    def describe_termination_policy_types(self, call: Call, params: Params) -> Result:
        return {"TerminationPolicyTypes": [policy.value for policy in TerminationPolicy]}

    def describe_launch_configurations(self, call: Call, params: Params) -> Result:
        """None, ever: AWS gives new accounts launch templates only."""
        return {"LaunchConfigurations": []}

    def describe_load_balancers(self, call: Call, params: Params) -> Result:
        """Classic load balancers: none."""
        self.group_named(params)
        return {"LoadBalancers": []}

    def describe_notification_configurations(self, call: Call, params: Params) -> Result:
        return {"NotificationConfigurations": []}

    def describe_warm_pool(self, call: Call, params: Params) -> Result:
        self.group_named(params)
        return {"Instances": []}
