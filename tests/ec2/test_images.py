"""CreateImage: an AMI that boots without repeating what is baked in."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from groundschool.cloud.compute import machine_image
from groundschool.errors import LabError
from tests.lab.conftest import wait_for
from tests.lab_under_test import SERVE, LabUnderTest, get


def image_folder(lab: LabUnderTest, image_id: str) -> Path:
    return lab.ground.home / "images" / image_id


def state(lab: LabUnderTest, image_id: str) -> str:
    [image] = lab.ec2.describe_images(ImageIds=[image_id])["Images"]
    return str(image["State"])


@pytest.fixture(scope="module")
def original(lab: LabUnderTest) -> str:
    [instance_id] = lab.run(UserData=SERVE, SecurityGroupIds=[lab.open_group(8080)])
    lab.wait_until_booted(instance_id)
    return instance_id


@pytest.fixture(scope="module")
def image_id(lab: LabUnderTest, original: str) -> str:
    created = lab.ec2.create_image(InstanceId=original, Name="golden", NoReboot=True)["ImageId"]
    lab.wait("image_available", ImageIds=[created])
    return str(created)


@pytest.mark.lab
def test_an_image_is_pending_then_available_and_described_as_the_accounts_own(lab: LabUnderTest, original: str) -> None:
    tags = [{"ResourceType": "image", "Tags": [{"Key": "Release", "Value": "1"}]}]
    image_id = lab.ec2.create_image(
        InstanceId=original, Name="described", Description="for a test", NoReboot=True, TagSpecifications=tags
    )["ImageId"]
    lab.wait("image_available", ImageIds=[image_id])
    wanted = [{"Name": "name", "Values": ["descri*"]}]
    [image] = lab.ec2.describe_images(Owners=["self"], Filters=wanted)["Images"]
    assert image["ImageId"] == image_id
    assert (image["Architecture"], image["Description"]) == ("x86_64", "for a test")
    assert image["Tags"] == [{"Key": "Release", "Value": "1"}]
    with pytest.raises(ClientError, match=r"InvalidAMIName\.Duplicate"):
        lab.ec2.create_image(InstanceId=original, Name="described")


@pytest.mark.lab
def test_an_instance_of_an_image_has_what_was_baked_in_and_still_runs_its_user_data(
    lab: LabUnderTest, original: str, image_id: str
) -> None:
    template = lab.ec2.create_launch_template(
        LaunchTemplateName="golden", LaunchTemplateData={"ImageId": image_id, "InstanceType": "t3.small"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    [reborn] = lab.run(
        ImageId=image_id,
        LaunchTemplate={"LaunchTemplateId": template},
        UserData="#!/bin/bash\necho only this\n",
        SecurityGroupIds=[lab.open_group(8080)],
    )
    address = lab.instance(reborn)["PrivateIpAddress"]
    wait_for(lambda: get(f"http://{address}:8080/").status == 200, 30, "the baked-in web server")
    assert get(f"http://{address}:8080/").body == b"hello\n"
    lab.wait_until_booted(reborn)
    console = lab.console(reborn)
    assert "only this" in console
    assert "user data is done" not in console
    assert lab.shell(reborn, "wc -l < $INSTANCE_ROOT/opt/boots").strip() == "1"


@pytest.mark.lab
@pytest.mark.parametrize("no_reboot", [pytest.param(True, id="NoReboot"), pytest.param(False, id="the default")])
def test_the_instance_is_rebooted_unless_told_not_to(lab: LabUnderTest, original: str, no_reboot: bool) -> None:
    def boots() -> int:
        return lab.shell(original, "cat $INSTANCE_ROOT/var/log/messages").count("Multi-User System")

    before = boots()
    image_id = lab.ec2.create_image(InstanceId=original, Name=f"reboot-{no_reboot}", NoReboot=no_reboot)["ImageId"]
    lab.wait("image_available", ImageIds=[image_id])
    lab.wait("instance_status_ok", InstanceIds=[original])
    assert boots() == before + (not no_reboot)


@pytest.mark.lab
def test_deregistering_removes_the_folder_but_not_the_instances(lab: LabUnderTest, original: str) -> None:
    image_id = lab.ec2.create_image(InstanceId=original, Name="short-lived", NoReboot=True)["ImageId"]
    lab.wait("image_available", ImageIds=[image_id])
    assert image_folder(lab, image_id).is_dir()
    [instance_id] = lab.run(ImageId=image_id, UserData="#!/bin/bash\ncat $INSTANCE_ROOT/opt/web/index.html\n")
    lab.ec2.deregister_image(ImageId=image_id)
    wait_for(lambda: not image_folder(lab, image_id).exists(), 20, "the image's folder to go")
    lab.wait_until_booted(instance_id)
    assert "hello" in lab.console(instance_id)
    with pytest.raises(ClientError, match="InvalidAMIID"):
        lab.run(ImageId=image_id)


def test_what_is_too_large_for_an_image_is_refused_before_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_image, "IMAGE_LIMIT_BYTES", 1000)
    (tmp_path / "i-1" / "opt").mkdir(parents=True)
    (tmp_path / "i-1" / "opt" / "large").write_bytes(b"x" * 1001)
    with pytest.raises(LabError, match="at most"):
        machine_image.snapshot(tmp_path / "i-1", tmp_path / "images" / "ami-1")
    assert not (tmp_path / "images" / "ami-1").exists()
