"""One real lab: two web servers in two zones behind a load balancer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab.conftest import wait_for
from tests.lab_under_test import IMAGE, SERVE, LabUnderTest, get

CHECK = {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5, "UnhealthyThresholdCount": 2}
GROUP = "web"


@dataclass
class Fleet:
    """A group of two in two zones. ``url`` is the load balancer's."""

    lab: LabUnderTest
    target_group_arn: str
    url: str
    zones: list[str]

    def targets(self) -> dict[str, dict[str, str]]:
        rows = self.lab.client("elbv2").describe_target_health(TargetGroupArn=self.target_group_arn)
        return {row["Target"]["Id"]: row["TargetHealth"] for row in rows["TargetHealthDescriptions"]}

    def healthy(self) -> list[str]:
        return [instance_id for instance_id, health in self.targets().items() if health["State"] == "healthy"]

    def members(self) -> list[dict]:
        [group] = self.lab.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])[
            "AutoScalingGroups"
        ]
        return group["Instances"]

    def wait_until_sound(self) -> None:
        wait_for(lambda: len(self.members()) == 2 and len(self.healthy()) == 2, 90, "two healthy targets")

    def fault(self, *words: str) -> str:
        done = self.lab.ground("fault", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def faults(self) -> list[tuple[str, str]]:
        return [(each["kind"], each["subject"]) for each in self.lab.status()["faults"]]

    def get(self) -> int:
        return get(self.url, timeout=10).status


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with LabUnderTest.started(tmp_path_factory.mktemp("lab") / "ground", speed=30) as lab:
        yield build(lab)


@pytest.fixture
def fleet(built: Fleet) -> Iterator[Fleet]:
    """Sound before each test; whatever a test breaks is mended after it."""
    built.wait_until_sound()
    yield built
    built.fault("clear")
    built.lab.client("autoscaling").resume_processes(AutoScalingGroupName=GROUP)


def build(lab: LabUnderTest) -> Fleet:
    elbv2 = lab.client("elbv2")
    subnets = sorted(lab.ec2.describe_subnets()["Subnets"], key=lambda each: each["AvailabilityZone"])[:2]
    group_id = lab.open_group(8080, 80)
    balancer = elbv2.create_load_balancer(
        Name="web", Subnets=[each["SubnetId"] for each in subnets], SecurityGroups=[group_id]
    )["LoadBalancers"][0]
    target_group_arn = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=8080, VpcId=subnets[0]["VpcId"], **CHECK
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=target_group_arn,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    forward = [{"Type": "forward", "TargetGroupArn": target_group_arn}]
    elbv2.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward)
    data = {"ImageId": IMAGE, "InstanceType": "t3.small", "SecurityGroupIds": [group_id], "UserData": _encoded(SERVE)}
    lab.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    lab.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"},
        MinSize=2,
        MaxSize=4,
        VPCZoneIdentifier=",".join(each["SubnetId"] for each in subnets),
        TargetGroupARNs=[target_group_arn],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=300,
    )
    url = f"http://{balancer['DNSName']}/"
    return Fleet(lab, target_group_arn, url, [each["AvailabilityZone"] for each in subnets])


def _encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()
