"""An observation from AWS's answers, which botocore's stubber checks against the service models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from groundschool.errors import BuildError
from groundschool.workshop.observation import Clients, Datapoint, Member, Target, observe

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:elasticloadbalancing:eu-north-1:123456789012:targetgroup/visitor-board/0123456789abcdef"
INSTANCE = {
    "InstanceId": "i-a",
    "AvailabilityZone": "eu-north-1a",
    "LifecycleState": "InService",
    "HealthStatus": "Healthy",
    "ProtectedFromScaleIn": False,
}
GROUP = {
    "AutoScalingGroupName": "visitor-board",
    "MinSize": 1,
    "MaxSize": 10,
    "DesiredCapacity": 2,
    "DefaultCooldown": 300,
    "AvailabilityZones": ["eu-north-1a"],
    "HealthCheckType": "ELB",
    "CreatedTime": NOW,
    "TargetGroupARNs": [ARN],
    "Instances": [INSTANCE, INSTANCE | {"InstanceId": "i-b", "LifecycleState": "Pending"}],
}
HEALTH = {
    "TargetHealthDescriptions": [
        {"Target": {"Id": "i-a", "Port": 8080}, "TargetHealth": {"State": "healthy"}},
        {
            "Target": {"Id": "i-b", "Port": 8080},
            "TargetHealth": {"State": "initial", "Reason": "Elb.InitialHealthChecking"},
        },
    ]
}
ALARMS = {
    "MetricAlarms": [
        {
            "AlarmName": f"TargetTracking-visitor-board-Alarm{side}-0d5f",
            "StateValue": "OK",
            "StateReason": "",
            "Threshold": threshold,
        }
        for side, threshold in (("Low", 35.0), ("High", 50.0))
    ]
}
ACTIVITIES = {
    "Activities": [
        {
            "ActivityId": "act-1",
            "AutoScalingGroupName": "visitor-board",
            "Cause": "At 2026-11-22T12:00:00Z a user request",
            "Description": "Launching a new EC2 instance: i-a",
            "StartTime": NOW,
            "StatusCode": "Successful",
        }
    ]
}


class Aws:
    """Stubbed clients; each describe call may be made once, with exactly the expected parameters."""

    def __init__(self) -> None:
        session = boto3.Session("test", "test", region_name="eu-north-1")
        self.clients = Clients.of(session)
        self.stubs = [Stubber(one) for one in (self.clients.autoscaling, self.clients.cloudwatch, self.clients.elbv2)]
        self.autoscaling, self.cloudwatch, self.elbv2 = self.stubs

    def group(self, *groups: dict[str, Any]) -> None:
        expected = {"AutoScalingGroupNames": ["visitor-board"]}
        self.autoscaling.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": list(groups)}, expected)

    def rest(self, datapoints: list[dict[str, Any]]) -> None:
        self.elbv2.add_response("describe_target_health", HEALTH, {"TargetGroupArn": ARN})
        self.cloudwatch.add_response("describe_alarms", ALARMS, {"AlarmNamePrefix": "TargetTracking-visitor-board-"})
        self.autoscaling.add_response("describe_scaling_activities", ACTIVITIES, ANY_GROUP)
        self.cloudwatch.add_response("get_metric_statistics", {"Datapoints": datapoints}, CPU)


ANY_GROUP = {"AutoScalingGroupName": "visitor-board", "MaxRecords": ANY}
CPU = {
    "Namespace": "AWS/EC2",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "visitor-board"}],
    "StartTime": ANY,
    "EndTime": ANY,
    "Period": 60,
    "Statistics": ["Average"],
}


@pytest.fixture
def aws() -> Iterator[Aws]:
    made = Aws()
    with ExitStack() as stack:
        for stub in made.stubs:
            stack.enter_context(stub)
        yield made


def test_one_look_reads_the_whole_group(aws: Aws) -> None:
    aws.group(GROUP)
    older = {"Timestamp": NOW, "Average": 10.0, "Unit": "Percent"}
    newer = {"Timestamp": NOW + timedelta(minutes=1), "Average": 61.5, "Unit": "Percent"}
    aws.rest([newer, older])
    seen = observe(aws.clients, "visitor-board")
    for stub in aws.stubs:
        stub.assert_no_pending_responses()
    assert (seen.minimum, seen.desired, seen.maximum) == (1, 2, 10)
    assert seen.in_service == (Member("i-a", "eu-north-1a", "InService", "Healthy"),)
    assert seen.targets[1] == Target("i-b", "initial", "Elb.InitialHealthChecking")
    assert [alarm.short_name for alarm in seen.alarms] == ["AlarmHigh", "AlarmLow"]
    assert seen.cpu == Datapoint(NOW + timedelta(minutes=1), 61.5)
    assert seen.cpu_target == 50
    assert seen.activities[0].cause == "At 2026-11-22T12:00:00Z a user request"


def test_before_the_first_datapoint_there_is_no_cpu(aws: Aws) -> None:
    aws.group(GROUP)
    aws.rest([])
    assert observe(aws.clients, "visitor-board").cpu is None


def test_a_group_that_does_not_exist_is_named(aws: Aws) -> None:
    aws.group()
    with pytest.raises(BuildError, match="no Auto Scaling group 'visitor-board'"):
        observe(aws.clients, "visitor-board")
