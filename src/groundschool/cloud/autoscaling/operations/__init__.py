"""The Auto Scaling API: one class per noun, one method per operation.

A method's name is botocore's ``xform_name`` of the operation; it is a :data:`~groundschool.cloud.call.Handler`. An
operation without a method is not supported by the lab.
"""

from __future__ import annotations

from groundschool.cloud.autoscaling.operations.account import AccountOperations
from groundschool.cloud.autoscaling.operations.activities import ActivityOperations
from groundschool.cloud.autoscaling.operations.groups import GroupOperations
from groundschool.cloud.autoscaling.operations.hooks import HookOperations
from groundschool.cloud.autoscaling.operations.instances import InstanceOperations
from groundschool.cloud.autoscaling.operations.membership import MembershipOperations
from groundschool.cloud.autoscaling.operations.metrics import MetricsCollectionOperations
from groundschool.cloud.autoscaling.operations.policies import PolicyOperations
from groundschool.cloud.autoscaling.operations.processes import ProcessOperations
from groundschool.cloud.autoscaling.operations.refreshes import RefreshOperations
from groundschool.cloud.autoscaling.operations.scheduled_actions import ScheduledActionOperations
from groundschool.cloud.autoscaling.operations.tags import TagOperations
from groundschool.cloud.autoscaling.operations.target_groups import TargetGroupOperations


class AutoScalingOperations(
    GroupOperations,
    InstanceOperations,
    MembershipOperations,
    TargetGroupOperations,
    PolicyOperations,
    ScheduledActionOperations,
    HookOperations,
    ProcessOperations,
    RefreshOperations,
    ActivityOperations,
    TagOperations,
    MetricsCollectionOperations,
    AccountOperations,
):
    """Every operation of the service."""
