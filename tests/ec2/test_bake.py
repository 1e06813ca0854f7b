"""``ground bake`` in the lab: the image alone makes a machine that serves, and an end by signal leaves no builder."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lab.conftest import wait_for
from tests.lab_under_test import LabUnderTest, get

pytestmark = pytest.mark.lab


def builders(lab: LabUnderTest) -> list[str]:
    """Their states, the ended ones included."""
    mine = [{"Name": "tag:Name", "Values": ["visitor-board-builder"]}]
    found = lab.ec2.describe_instances(Filters=mine)["Reservations"]
    return [each["State"]["Name"] for reservation in found for each in reservation["Instances"]]


def own_images(lab: LabUnderTest) -> list[str]:
    mine = [{"Name": "tag:Project", "Values": ["ground-school"]}]
    return [each["ImageId"] for each in lab.ec2.describe_images(Owners=["self"], Filters=mine)["Images"]]


@pytest.fixture(scope="module")
def ready(lab: LabUnderTest) -> Iterator[LabUnderTest]:
    built = lab.ground("build", "security-group", "table", "role")
    assert built.returncode == 0, built.stderr
    yield lab
    removed = lab.ground("build", "--remove")
    assert removed.returncode == 0, removed.stderr
    assert own_images(lab) == []


def test_a_bake_that_is_asked_to_end_ends_its_builder_first(ready: LabUnderTest) -> None:
    baking = subprocess.Popen([sys.executable, "-m", "groundschool.cli", "bake"], env=ready.ground.environment)
    wait_for(lambda: builders(ready), 60, "a builder")
    baking.send_signal(signal.SIGTERM)

    assert baking.wait(60) != 0
    assert set(builders(ready)) == {"terminated"}
    assert own_images(ready) == []


def test_an_instance_of_the_baked_image_serves_without_user_data(ready: LabUnderTest) -> None:
    baked = ready.ground("bake", timeout=120)
    assert baked.returncode == 0, baked.stderr
    [image_id] = own_images(ready)
    assert f"Golden image {image_id}" in baked.stdout

    group = ready.ec2.describe_security_groups(GroupNames=["visitor-board-instance"])["SecurityGroups"][0]["GroupId"]
    [instance_id] = ready.run(
        ImageId=image_id, SecurityGroupIds=[group], IamInstanceProfile={"Name": "visitor-board-eu-north-1"}
    )
    address = ready.instance(instance_id)["PrivateIpAddress"]

    wait_for(lambda: get(f"http://{address}:8080/health").status == 200, 60, "the board")
    ready.ec2.terminate_instances(InstanceIds=[instance_id])
    ready.wait("instance_terminated", InstanceIds=[instance_id])
