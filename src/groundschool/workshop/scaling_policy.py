"""Component 11: the control loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundschool.workshop.auto_scaling_group import find_scaling_group
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.world import World

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import ScalingPolicyTypeDef, TargetTrackingConfigurationTypeDef

METRIC: Final = "ASGAverageCPUUtilization"


def policy_name(world: World) -> str:
    return f"{world.name}-cpu"


def find_policies(world: World) -> list[ScalingPolicyTypeDef]:
    """All policies of the group; none when there is no group."""
    if find_scaling_group(world) is None:
        return []
    return world.autoscaling.describe_policies(AutoScalingGroupName=world.name)["ScalingPolicies"]


def tracks(policy: ScalingPolicyTypeDef) -> float | None:
    """The CPU percentage the policy keeps, None when it does something else."""
    configuration = policy.get("TargetTrackingConfiguration")
    if configuration is None:
        return None
    metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return configuration["TargetValue"] if metric == METRIC else None


class ScalingPolicy(Component):
    """Target tracking on the group's average CPU."""

    number = 11
    session = 2
    name = "scaling-policy"
    title = "target-tracking policy"
    why = (
        "Capacity follows load by a thermostat: out after three hot minutes, in after fifteen cool ones, because a "
        "missing instance costs visitors and a spare one only cents; what comes faster than a boot must fit into "
        "the spare half."
    )
    depends_on = ("auto-scaling-group",)

    def plan(self, world: World) -> list[Action]:
        chosen = world.settings
        for policy in find_policies(world):
            same = tracks(policy) == chosen.target_cpu and policy.get("EstimatedInstanceWarmup") == chosen.warm_up
            if policy["PolicyName"] == policy_name(world) and same:
                return []
        what = f"Put scaling policy {policy_name(world)}: keep the group's average CPU at {chosen.target_cpu:g} %"
        return [Action(what, lambda: put_policy(world))]

    def inspect(self, world: World) -> Check:
        kept = {policy["PolicyName"]: tracks(policy) for policy in find_policies(world)}
        found = {name: target for name, target in kept.items() if target is not None}
        if not found:
            return absent(f"{world.name} has no policy on its CPU", "Who decides how many instances are enough?")
        wanted = world.settings.target_cpu
        name, target = min(found.items(), key=lambda each: abs(each[1] - wanted))
        if target != wanted:
            return wrong(
                f"{name} keeps CPU at {target:g} %",
                f"How much load can arrive while a new instance boots? The design says {wanted:g} %.",
            )
        return right(f"{name} keeps the group's average CPU at {target:g} %")

    def removal(self, world: World) -> list[Action]:
        """A policy carries no tags; it is the group's, and has our name."""
        name = policy_name(world)
        if not any(policy["PolicyName"] == name for policy in find_policies(world)):
            return []
        return [
            Action(
                f"Delete scaling policy {name}",
                lambda: world.autoscaling.delete_policy(AutoScalingGroupName=world.name, PolicyName=name),
            )
        ]


def put_policy(world: World) -> None:
    chosen = world.settings
    configuration: TargetTrackingConfigurationTypeDef = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        "TargetValue": chosen.target_cpu,
        "DisableScaleIn": False,
    }
    world.autoscaling.put_scaling_policy(
        AutoScalingGroupName=world.name,
        PolicyName=policy_name(world),
        PolicyType="TargetTrackingScaling",
        EstimatedInstanceWarmup=chosen.warm_up,
        TargetTrackingConfiguration=configuration,
    )
