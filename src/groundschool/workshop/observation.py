"""What an Auto Scaling group looks like at one moment: one frozen value, read through boto3 only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from groundschool.errors import BuildError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

ACTIVITIES = 20
"""The newest scaling activities that are looked at."""

CPU_WINDOW = timedelta(minutes=10)
"""How far back a CPU datapoint may lie. AWS: basic monitoring publishes every 5 minutes."""

ALARM_HIGH, ALARM_LOW = "AlarmHigh", "AlarmLow"


@dataclass(frozen=True)
class Clients:
    """The boto3 clients an observation needs."""

    autoscaling: AutoScalingClient
    cloudwatch: CloudWatchClient
    elbv2: ElasticLoadBalancingv2Client

    @classmethod
    def of(cls, session: boto3.Session) -> Self:
        return cls(session.client("autoscaling"), session.client("cloudwatch"), session.client("elbv2"))


@dataclass(frozen=True)
class Member:
    """An instance of the group. ``lifecycle_state`` and ``health`` in AWS's words (InService, Healthy, ...)."""

    instance_id: str
    availability_zone: str
    lifecycle_state: str
    health: str


@dataclass(frozen=True)
class Target:
    """A registered target; ``reason`` is None when it is healthy."""

    instance_id: str
    state: str
    reason: str | None


@dataclass(frozen=True)
class Alarm:
    """``threshold`` in the metric's unit (per cent for CPU)."""

    name: str
    state: str
    threshold: float | None
    state_reason: str

    @property
    def short_name(self) -> str:
        """``AlarmHigh`` or ``AlarmLow`` for those that target tracking made, else the whole name."""
        return next((side for side in (ALARM_HIGH, ALARM_LOW) if f"-{side}-" in self.name), self.name)


@dataclass(frozen=True)
class Activity:
    """A scaling activity, in AWS's words."""

    activity_id: str
    started: datetime
    description: str
    cause: str
    status: str
    status_message: str


@dataclass(frozen=True)
class Datapoint:
    """``per_cent`` is the group's average over the period that starts at ``at``."""

    at: datetime
    per_cent: float


@dataclass(frozen=True)
class Observation:
    """``at`` is real UTC time; ``activities`` are newest first; ``cpu`` is None while nothing was published."""

    at: datetime
    group_name: str
    minimum: int
    desired: int
    maximum: int
    members: tuple[Member, ...]
    targets: tuple[Target, ...]
    alarms: tuple[Alarm, ...]
    activities: tuple[Activity, ...]
    cpu: Datapoint | None

    @property
    def in_service(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.lifecycle_state == "InService")

    @property
    def healthy_targets(self) -> tuple[Target, ...]:
        return tuple(target for target in self.targets if target.state == "healthy")

    @property
    def cpu_target(self) -> float | None:
        """The policy's target value: AWS gives the high alarm of target tracking exactly this threshold."""
        return next((alarm.threshold for alarm in self.alarms if alarm.short_name == ALARM_HIGH), None)


def observe(clients: Clients, group_name: str) -> Observation:
    """Looks once: four to five describe calls, more only when the group has several target groups.

    Raises BuildError when there is no such group, and botocore's ``ClientError``.
    """
    group = _group(clients, group_name)
    return Observation(
        at=datetime.now(UTC),
        group_name=group_name,
        minimum=group["MinSize"],
        desired=group["DesiredCapacity"],
        maximum=group["MaxSize"],
        members=tuple(
            Member(one["InstanceId"], one["AvailabilityZone"], one["LifecycleState"], one["HealthStatus"])
            for one in group.get("Instances", [])
        ),
        targets=tuple(target for arn in group.get("TargetGroupARNs", []) for target in _targets(clients, arn)),
        alarms=_alarms(clients, group_name),
        activities=_activities(clients, group_name),
        cpu=_cpu(clients, group_name),
    )


def _group(clients: Clients, name: str) -> AutoScalingGroupTypeDef:
    found = clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found:
        raise BuildError(f"There is no Auto Scaling group {name!r} in this region. Make it with: ground build")
    return found[0]


def _targets(clients: Clients, target_group_arn: str) -> list[Target]:
    described = clients.elbv2.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    return [
        Target(one["Target"]["Id"], one["TargetHealth"]["State"], one["TargetHealth"].get("Reason"))
        for one in described
    ]


def _alarms(clients: Clients, group_name: str) -> tuple[Alarm, ...]:
    found = clients.cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{group_name}-")["MetricAlarms"]
    return tuple(
        Alarm(one["AlarmName"], one["StateValue"], one.get("Threshold"), one.get("StateReason", ""))
        for one in sorted(found, key=lambda one: one["AlarmName"])
    )


def _activities(clients: Clients, group_name: str) -> tuple[Activity, ...]:
    found = clients.autoscaling.describe_scaling_activities(AutoScalingGroupName=group_name, MaxRecords=ACTIVITIES)
    return tuple(
        Activity(
            one["ActivityId"],
            one["StartTime"],
            one.get("Description", ""),
            one.get("Cause", ""),
            one["StatusCode"],
            one.get("StatusMessage", ""),
        )
        for one in found["Activities"]
    )


def _cpu(clients: Clients, group_name: str) -> Datapoint | None:
    now = datetime.now(UTC)
    datapoints = clients.cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": group_name}],
        StartTime=now - CPU_WINDOW,
        EndTime=now,
        Period=60,
        Statistics=["Average"],
    )["Datapoints"]
    if not datapoints:
        return None
    newest = max(datapoints, key=lambda one: one["Timestamp"])
    return Datapoint(newest["Timestamp"], newest["Average"])
