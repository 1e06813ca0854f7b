"""``ground cost`` on a real lab: the bill has what exists and what came through, no more and no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.lab.conftest import wait_for
from tests.lab_under_test import LabUnderTest

from groundschool.workshop.settings import WorkshopSettings

pytestmark = pytest.mark.lab

NAMES = WorkshopSettings()
SPEED = 40


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    with LabUnderTest.started(tmp_path_factory.mktemp("lab") / "ground", SPEED) as made:
        built = made.ground("build", timeout=200)
        assert built.returncode == 0, built.stderr
        yield made


def bill(lab: LabUnderTest, *words: str) -> dict[str, Any]:
    told = lab.ground("cost", "--json", *words)
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout))


def lines(told: dict[str, Any], part: str = "so_far") -> dict[str, Any]:
    return {line["what"]: line for line in told[part]["lines"]}


def instances(lab: LabUnderTest) -> set[str]:
    described = lab.ec2.describe_instances()["Reservations"]
    return {each["InstanceId"] for reservation in described for each in reservation["Instances"]}


def test_the_bill_lists_exactly_what_exists(lab: LabUnderTest) -> None:
    told = bill(lab)
    alarms = {each["AlarmName"] for each in lab.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert len(alarms) == 2
    members = {
        member["InstanceId"]
        for group in lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        for member in group["Instances"]
    }
    of = {what: set(line["of"]) for what, line in lines(told).items()}
    assert of.pop("EC2 t3.micro") == of.pop("EBS gp3") == of.pop("EC2 CPU above the baseline") == instances(lab)
    assert of.pop("CloudWatch detailed monitoring") == members
    assert of.pop("Public IPv4 addresses") == {*instances(lab), NAMES.name}
    assert of.pop("CloudWatch alarms") == alarms
    for what in ("Application Load Balancer", "Load balancer capacity", "Data transfer out"):
        assert of.pop(what) == {NAMES.name}
    for what in ("DynamoDB writes", "DynamoDB reads", "DynamoDB storage"):
        assert of.pop(what) == {NAMES.table_name}
    assert of == {}
    assert lines(told, "per_hour")["EC2 t3.micro"]["quantity"] == len(instances(lab))
    assert lines(told)["EBS gp3"]["quantity"] == pytest.approx(lines(told)["EC2 t3.micro"]["quantity"] * 8 / 730)


def test_what_came_through_is_what_is_billed(lab: LabUnderTest) -> None:
    loaded = lab.ground("load", "--rate", "20", "--duration", "3", "--json")
    assert loaded.returncode == 0, loaded.stderr
    posts = json.loads(loaded.stdout.splitlines()[-1])["report"]["acknowledged_posts"]
    assert posts

    def written() -> float:
        return float(lines(bill(lab))["DynamoDB writes"]["quantity"]) * 1e6

    # 2 WRU per post (docs/visitor-board-capacity.md), as often as the lab's clock is faster.
    wait_for(lambda: written() >= posts * 2 * SPEED - 0.5, 20, "the minute that publishes the last posts")
    told = lines(bill(lab))
    assert told["DynamoDB reads"]["quantity"] > 0
    assert told["Load balancer capacity"]["quantity"] > 0
    assert told["Data transfer out"]["amount"] is None
    assert told["Data transfer out"]["note"].startswith("not priced")


def test_an_instance_that_has_ended_is_billed_until_then_and_not_ahead(lab: LabUnderTest) -> None:
    [by_hand] = [
        each["Instances"][0]["InstanceId"]
        for each in lab.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [f"{NAMES.name}-by-hand"]}])[
            "Reservations"
        ]
    ]
    lab.ec2.terminate_instances(InstanceIds=[by_hand])
    lab.wait("instance_terminated", InstanceIds=[by_hand])
    told = bill(lab)
    assert by_hand in lines(told)["EC2 t3.micro"]["of"]
    assert by_hand not in lines(told, "per_hour")["EC2 t3.micro"]["of"]
