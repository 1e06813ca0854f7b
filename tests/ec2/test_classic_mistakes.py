"""What learners get wrong on AWS has the same consequences here, and can be mended in the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.conftest import wait_for
from tests.lab_under_test import LabUnderTest, get

pytestmark = pytest.mark.lab

NAME = "visitor-board"
TABLE = "workshop_messages"


@pytest.fixture(scope="module")
def board_image(lab: LabUnderTest) -> Iterator[str]:
    """A golden image of the workshop's own instance: its app is baked in, its role is not."""
    built = lab.ground("build", "--session", "1", timeout=200)
    assert built.returncode == 0, built.stderr
    wanted = [
        {"Name": "tag:Project", "Values": ["ground-school"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    [reservation] = lab.ec2.describe_instances(Filters=wanted)["Reservations"]
    source = reservation["Instances"][0]["InstanceId"]
    image_id = lab.ec2.create_image(InstanceId=source, Name="board", NoReboot=True)["ImageId"]
    lab.wait("image_available", ImageIds=[image_id])
    yield image_id
    lab.ec2.deregister_image(ImageId=image_id)


def board(lab: LabUnderTest, image_id: str, **options: Any) -> tuple[str, str]:
    """An instance of the image: its id, and the board's messages on it."""
    [instance_id] = lab.run(ImageId=image_id, SecurityGroupIds=[lab.open_group(8080)], **options)
    url = f"http://{lab.instance(instance_id)['PrivateIpAddress']}:8080/api/messages"
    wait_for(lambda: get(url).status, 60, "an answer of the app, whatever it is")
    return instance_id, url


def profile(lab: LabUnderTest, name: str, policy: dict[str, Any] | None) -> str:
    """An instance profile whose role may do what ``policy`` says."""
    iam = lab.client("iam")
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    if policy is not None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_role_policy(RoleName=name, PolicyName="app", PolicyDocument=document)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def test_without_an_instance_profile_the_app_cannot_locate_credentials_until_one_is_associated(
    lab: LabUnderTest, board_image: str
) -> None:
    instance_id, url = board(lab, board_image)
    answer = get(url)
    assert answer.status == 503
    assert "Unable to locate credentials" in answer.body.decode()
    wait_for(lambda: "Unable to locate credentials" in lab.console(instance_id), 10, "the app's log in the console")
    assert lab.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"] is not None
    name = profile(lab, "may-everything", {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    made = lab.ec2.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Name": name})
    assert made["IamInstanceProfileAssociation"]["State"] == "associating"
    wait_for(lambda: get(url).status == 200, 30, "the app to find its credentials")
    with pytest.raises(ClientError, match="existing association"):
        lab.ec2.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Name": name})
    wanted = [{"Name": "instance-id", "Values": [instance_id]}]
    [row] = lab.ec2.describe_iam_instance_profile_associations(Filters=wanted)["IamInstanceProfileAssociations"]
    lab.ec2.disassociate_iam_instance_profile(AssociationId=row["AssociationId"])
    assert lab.ec2.describe_iam_instance_profile_associations(Filters=wanted)["IamInstanceProfileAssociations"] == []
    assert "IamInstanceProfile" not in lab.instance(instance_id)


def test_a_role_that_may_not_is_refused_with_the_action_and_the_resource(lab: LabUnderTest, board_image: str) -> None:
    policy = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}
    instance_id, url = board(lab, board_image, IamInstanceProfile={"Name": profile(lab, "may-little", policy)})
    assert get(url).status == 503
    said = lab.shell(
        instance_id,
        f"aws dynamodb query --region eu-north-1 --table-name {TABLE} --key-condition-expression x=y 2>&1 || :",
    )
    assert "AccessDeniedException" in said
    assert "assumed-role/may-little/" in said
    assert f"dynamodb:Query on resource: arn:aws:dynamodb:eu-north-1:123456789012:table/{TABLE}" in said
    wait_for(lambda: "AccessDenied" in lab.console(instance_id), 10, "the refusal in the app's log")


def test_metadata_without_a_token_is_refused_and_with_one_it_names_the_role(lab: LabUnderTest) -> None:
    name = profile(lab, "metadata", None)
    [instance_id] = lab.run(IamInstanceProfile={"Name": name})
    lab.wait("instance_running", InstanceIds=[instance_id])
    script = (
        'import os,urllib.request as r,urllib.error as e; at=os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]\n'
        'path=at+"latest/meta-data/iam/security-credentials/"\n'
        "try: r.urlopen(path)\n"
        "except e.HTTPError as error: print(error.code)\n"
        'ask=r.Request(at+"latest/api/token",method="PUT",headers={"X-aws-ec2-metadata-token-ttl-seconds":"60"})\n'
        "token=r.urlopen(ask).read().decode()\n"
        'print(r.urlopen(r.Request(path,headers={"X-aws-ec2-metadata-token":token})).read().decode())\n'
    )
    said = lab.ground("shell", instance_id, "--", "python3", "-c", script).stdout.split()
    assert said == ["401", "metadata"]


def test_failing_user_data_shows_in_console_and_status_and_the_instance_stays_to_look_at(lab: LabUnderTest) -> None:
    [instance_id] = lab.run(UserData="#!/bin/bash\necho installing\nno-such-command\nexit 7\n")
    lab.wait_until_booted(instance_id)
    console = lab.console(instance_id)
    assert "no-such-command: command not found" in console
    assert "Failed to run module scripts-user" in console
    assert lab.status_of(instance_id)["user_data"] == "failed with exit code 7"
    assert "failed with exit code 7" in " ".join(lab.ground("status", COLUMNS="300").stdout.split())
    assert lab.shell(instance_id, "echo still here") == "still here\n"


def test_an_app_that_is_never_healthy_is_replaced_again_and_again_and_the_lab_stays_usable(lab: LabUnderTest) -> None:
    elbv2, autoscaling = lab.client("elbv2"), lab.client("autoscaling")
    subnets = lab.ec2.describe_subnets()["Subnets"][:2]
    ids = [each["SubnetId"] for each in subnets]
    balancer = elbv2.create_load_balancer(Name="never", Subnets=ids)["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elbv2.create_target_group(
        Name="never", Protocol="HTTP", Port=8080, VpcId=subnets[0]["VpcId"], HealthCheckIntervalSeconds=10
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target_group}]
    elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    lab.ec2.create_launch_template(
        LaunchTemplateName="never",
        LaunchTemplateData={"ImageId": lab.instance(lab.run()[0])["ImageId"], "InstanceType": "t3.micro"},
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="never",
        LaunchTemplate={"LaunchTemplateName": "never"},
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=",".join(ids),
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=30,
    )

    def replaced() -> int:
        found = autoscaling.describe_scaling_activities(AutoScalingGroupName="never")["Activities"]
        return sum("ELB system health check failure" in each["Cause"] for each in found)

    wait_for(lambda: replaced() >= 1, 90, "the replacement")
    assert lab.status()["lab"]["troubles"] == {}
    [other] = lab.run()
    lab.wait("instance_running", InstanceIds=[other])
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="never", ForceDelete=True)
