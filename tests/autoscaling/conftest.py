"""A lab in virtual time: fakes for the fleet and the target groups, the real alarm book, the real control loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from groundschool.clock import Clock
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations import AutoScalingOperations
from groundschool.cloud.autoscaling.service import AutoScaling
from groundschool.cloud.autoscaling.surroundings import InstanceView, LaunchRequest, Surroundings, TemplateVersion
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call
from groundschool.cloud.monitoring.alarms import AlarmBook
from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey, MetricStore
from groundschool.cloud.network.data_plane import HealthState, TargetHealth

START = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC).timestamp()
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-north-1:123456789012:targetgroup/board/0123456789abcdef"
SUBNETS = {"subnet-a": "eu-north-1a", "subnet-b": "eu-north-1b"}
MODEL = botocore.session.get_session().get_service_model("autoscaling")


def at(seconds: float) -> str:
    """The time as the texts of activities write it."""
    return f"{datetime.fromtimestamp(START + seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class FakeFleet:
    """Instances boot in ``boot`` seconds and take 2 s to terminate; ``refusals`` are raised, one per launch."""

    now: Callable[[], float]
    boot: float = 20.0
    launched: list[LaunchRequest] = field(default_factory=list)
    views: dict[str, InstanceView] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    refusals: list[AwsError] = field(default_factory=list)
    zones_out: set[str] = field(default_factory=set)
    versions: int = 1

    def launch(self, request: LaunchRequest) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        zone = SUBNETS[request.subnet_id]
        if zone in self.zones_out:
            raise AwsError("InsufficientInstanceCapacity", f"We currently do not have sufficient capacity in {zone}.")
        self.launched.append(request)
        instance_id = f"i-{len(self.launched):017x}"
        kind = request.overrides.get("InstanceType", "t3.micro")
        self.views[instance_id] = InstanceView(
            instance_id, "pending", kind, zone, request.subnet_id, "ami-1", self.now()
        )
        return instance_id

    def terminate(self, instance_id: str) -> None:
        self.ended.setdefault(instance_id, self.now())

    def view(self, instance_id: str) -> InstanceView | None:
        view = self.views.get(instance_id)
        if view is None:
            return None
        if instance_id in self.ended:
            gone = self.now() >= self.ended[instance_id] + 2
            return replace(view, state="terminated" if gone else "shutting-down")
        return replace(view, state="running" if self.now() >= view.launched_at + self.boot else "pending")

    def subnets(self, subnet_ids: tuple[str, ...]) -> dict[str, str]:
        for subnet in subnet_ids:
            if subnet not in SUBNETS:
                raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
        return {subnet: SUBNETS[subnet] for subnet in subnet_ids}

    def default_subnets(self, availability_zones: tuple[str, ...]) -> dict[str, str]:
        return {subnet: zone for subnet, zone in SUBNETS.items() if zone in availability_zones}

    def template(self, launch_template: Mapping[str, str]) -> TemplateVersion:
        name = launch_template.get("LaunchTemplateName") or launch_template["LaunchTemplateId"].replace("lt-", "")
        if name != "board":
            raise AwsError(
                "InvalidLaunchTemplateName.NotFoundException", "The specified launch template does not exist."
            )
        version = launch_template.get("Version", "$Default")
        number = {"$Latest": self.versions, "$Default": 1}.get(version) or int(version)
        return TemplateVersion("lt-board", "board", str(number), datetime.fromtimestamp(START + number, UTC))


@dataclass
class FakeTargets:
    """Targets are healthy 10 s after registration and drain for ``delay`` seconds."""

    now: Callable[[], float]
    delay: float = 300.0
    arns: set[str] = field(default_factory=lambda: {TARGET_GROUP})
    registered: dict[tuple[str, str], float] = field(default_factory=dict)
    deregistered: dict[tuple[str, str], float] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    visible_after: float = 0.0

    def exists(self, target_group_arn: str) -> bool:
        return target_group_arn in self.arns

    def register(self, target_group_arn: str, instance_id: str) -> None:
        assert target_group_arn in self.arns
        self.deregistered.pop((target_group_arn, instance_id), None)
        self.registered[target_group_arn, instance_id] = self.now()

    def deregister(self, target_group_arn: str, instance_id: str) -> None:
        assert (target_group_arn, instance_id) in self.registered
        del self.registered[target_group_arn, instance_id]
        self.deregistered[target_group_arn, instance_id] = self.now()

    def health(self, target_group_arn: str, instance_id: str) -> TargetHealth:
        key = target_group_arn, instance_id
        since = self.registered.get(key)
        if since is not None and self.now() >= since + self.visible_after:
            if instance_id in self.failing:
                return TargetHealth(HealthState.UNHEALTHY, "Target.ResponseCodeMismatch")
            if self.now() < since + 10:
                return TargetHealth(HealthState.INITIAL, "Elb.InitialHealthChecking")
            return TargetHealth(HealthState.HEALTHY)
        if key in self.deregistered and self.now() < self.deregistered[key] + self.delay:
            return TargetHealth(HealthState.DRAINING, "Target.DeregistrationInProgress")
        return TargetHealth(HealthState.UNUSED, "Target.NotRegistered")


class VirtualLab:
    """The service with its surroundings; ``run`` passes virtual time, ``call`` is what a client does."""

    target_group = TARGET_GROUP
    at = staticmethod(at)

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(1.0, monotonic=lambda: self.now, wall=lambda: START + self.now)
        self.fleet = FakeFleet(lambda: self.now)
        self.targets = FakeTargets(lambda: self.now)
        self.store = MetricStore()
        self.book = AlarmBook(
            self.store, self.clock, lambda alarm, decision: self.service.on_alarm(alarm, decision, self.now)
        )
        self.service = AutoScaling(Surroundings(self.fleet, self.targets, self.book, self.clock))
        self.operations = AutoScalingOperations(self.service)
        self.each_minute: Callable[[], None] = lambda: None
        self.watch: Callable[[], None] = lambda: None

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """Input and output are checked against botocore's model, as a client and the front door would."""
        model, validator = MODEL.operation_model(operation), ParamValidator()
        if model.input_shape is not None:
            report = validator.validate(params, model.input_shape)
            assert not report.has_errors(), report.generate_report()
        handler = getattr(self.operations, xform_name(operation))
        answer: dict[str, Any] = handler(Call("autoscaling", operation, "eu-north-1", "123456789012", None), params)
        if model.output_shape is not None:
            report = validator.validate(answer, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        return answer

    def run(self, seconds: float) -> None:
        """Step when the service asks for it, and evaluate alarms every minute."""
        end, steps_now = self.now + seconds, 0
        while True:
            again = self.service.step(self.now)
            self.watch()
            assert again >= self.now
            if self.now >= end and again > self.now:
                return
            minute = (self.now // 60 + 1) * 60
            before, self.now = self.now, min(again, minute, max(end, self.now))
            steps_now = steps_now + 1 if self.now == before else 0
            assert steps_now < 20, "the service keeps asking to look again at once"
            if self.now == minute:
                self.each_minute()
                self.book.evaluate(self.now)

    def create(self, name: str = "web", **params: Any) -> Group:
        given: dict[str, Any] = {
            "MinSize": 1,
            "MaxSize": 10,
            "DesiredCapacity": 2,
            "LaunchTemplate": {"LaunchTemplateName": "board", "Version": "$Latest"},
            "VPCZoneIdentifier": "subnet-a,subnet-b",
            "TargetGroupARNs": [TARGET_GROUP],
            **params,
        }
        self.call("CreateAutoScalingGroup", AutoScalingGroupName=name, **given)
        return self.service.groups[name]

    def in_service(self, **params: Any) -> Group:
        """A group whose instances are all in service and warm."""
        group = self.create(**params)
        self.run(60)
        return group

    def instances(self, name: str = "web") -> list[dict[str, Any]]:
        found = self.call("DescribeAutoScalingGroups", AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return list(found[0]["Instances"]) if found else []

    def states(self, name: str = "web") -> list[str]:
        return sorted(instance["LifecycleState"] for instance in self.instances(name))

    def activities(self, containing: str = "", name: str = "web") -> list[dict[str, Any]]:
        """Oldest first."""
        found = self.call("DescribeScalingActivities", AutoScalingGroupName=name, IncludeDeletedGroups=True)
        oldest_first = sorted(found["Activities"], key=lambda activity: activity["StartTime"])
        return [each for each in oldest_first if containing in each["Description"] + each["Cause"]]

    def put_cpu(self, value: float, group: str = "web") -> None:
        """The group's CPU in the minute that has just ended, if anybody counts."""
        if self.service.metric_members(group, self.now):
            key = MetricKey("AWS/EC2", "CPUUtilization", frozenset({("AutoScalingGroupName", group)}))
            self.store.put([MetricData(key, self.now - 60, (value,), unit="Percent")])


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab()
