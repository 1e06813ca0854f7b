"""A group's scaling policies: what the user put, and the control loop's values made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groundschool.controlloop.adjustment import AdjustmentType
from groundschool.controlloop.simple_scaling import SimpleScalingPolicy
from groundschool.controlloop.step_scaling import Step, StepScalingPolicy
from groundschool.controlloop.target_tracking import TargetTrackingPolicy
from groundschool.controlloop.tracked_metric import PredefinedMetric, TrackedMetric, predefined


class PolicyType(StrEnum):
    TARGET_TRACKING = "TargetTrackingScaling"
    STEP = "StepScaling"
    SIMPLE = "SimpleScaling"


@dataclass(frozen=True)
class ScalingPolicy:
    """One policy. ``parameters`` is what the user sent, in boto3's shape; answers repeat it."""

    name: str
    arn: str
    policy_type: PolicyType
    enabled: bool
    parameters: Mapping[str, Any]
    alarm_uuids: tuple[str, str] = ("", "")
    """Of AlarmHigh and AlarmLow, target tracking only."""

    @property
    def estimated_instance_warmup(self) -> float | None:
        """Seconds; None when the policy leaves it to the group."""
        return self.parameters.get("EstimatedInstanceWarmup")

    @property
    def warms_up(self) -> bool:
        """Simple scaling knows cooldowns, the others warm-ups."""
        return self.policy_type is not PolicyType.SIMPLE

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The TargetTrackingConfiguration."""
        found: Mapping[str, Any] = self.parameters["TargetTrackingConfiguration"]
        return found

    @property
    def expressions(self) -> list[Mapping[str, Any]]:
        """The MetricDataQueries of a customized metric; empty when it is a plain metric."""
        custom = self.configuration.get("CustomizedMetricSpecification") or {}
        return list(custom.get("Metrics") or [])


def target_tracking(policy: ScalingPolicy, group_name: str) -> TargetTrackingPolicy:
    """Raises ValueError when the configuration names no metric, or names it wrongly."""
    configuration = policy.configuration
    return TargetTrackingPolicy(
        policy.name,
        configuration["TargetValue"],
        _tracked_metric(policy, group_name),
        configuration.get("DisableScaleIn", False),
    )


def _tracked_metric(policy: ScalingPolicy, group_name: str) -> TrackedMetric:
    specification = policy.configuration.get("PredefinedMetricSpecification")
    custom = policy.configuration.get("CustomizedMetricSpecification") or {}
    if bool(specification) == bool(custom):
        raise ValueError("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is needed")
    if specification:
        kind = PredefinedMetric(specification["PredefinedMetricType"])
        return predefined(kind, group_name, specification.get("ResourceLabel"))
    if policy.expressions:
        returned = [query["Id"] for query in policy.expressions if query.get("ReturnData", True)]
        if len(returned) != 1:
            raise ValueError("Exactly one of the metric data queries must return data")
        return TrackedMetric("", returned[0])
    if not (custom.get("MetricName") and custom.get("Namespace") and custom.get("Statistic")):
        raise ValueError("A customized metric needs MetricName, Namespace and Statistic")
    if custom.get("Period", 60) != 60:
        raise ValueError("The lab's metrics have a period of 60 seconds: leave Period out")
    dimensions = tuple((each["Name"], each["Value"]) for each in custom.get("Dimensions", []))
    return TrackedMetric(custom["Namespace"], custom["MetricName"], dimensions, custom["Statistic"], custom.get("Unit"))


def step_scaling(policy: ScalingPolicy) -> StepScalingPolicy:
    given = policy.parameters
    return StepScalingPolicy(
        policy.name,
        AdjustmentType(given["AdjustmentType"]),
        tuple(
            Step(each["ScalingAdjustment"], each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound"))
            for each in given["StepAdjustments"]
        ),
        given.get("MinAdjustmentMagnitude"),
    )


def simple_scaling(policy: ScalingPolicy) -> SimpleScalingPolicy:
    given = policy.parameters
    return SimpleScalingPolicy(
        policy.name,
        AdjustmentType(given["AdjustmentType"]),
        given["ScalingAdjustment"],
        given.get("MinAdjustmentMagnitude"),
        given.get("Cooldown"),
    )
