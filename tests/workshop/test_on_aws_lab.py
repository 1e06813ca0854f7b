"""The same build on a real lab: Ctrl-C as a terminal sends it, and what only something alive can show."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.lab.conftest import wait_for
from tests.lab_under_test import IMAGE, LabUnderTest
from tests.workshop.faults import census

from groundschool.workshop.instance import find_instances, launch
from groundschool.workshop.remains import tagged
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    with LabUnderTest.started(tmp_path_factory.mktemp("lab") / "ground", speed=30) as made:
        yield made


@pytest.fixture
def real(lab: LabUnderTest, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    return World(boto3.Session(region_name=lab.environment["AWS_REGION"]), WorkshopSettings())


def test_ctrl_c_in_a_build_lists_what_exists_and_the_same_command_goes_on(lab: LabUnderTest, real: World) -> None:
    with lab.ground.start("build", "--session", "1") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("• Creating Visitor Board"):
                break
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert "What exists now:\n    security group visitor-board-instance\n" in said
    assert "Go on: the same command again. Back: ground build --remove\n" in said
    assert said.endswith("✗ Interrupted while the Visitor Board on the instance was being created\n")
    before = census(real)

    done = lab.ground("build", "--session", "1")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(was there)") == 4
    assert census(real) == {**before, "buckets": 1}, "one more bucket at the most, and nothing else"


def test_a_launch_that_is_repeated_because_nobody_saw_its_answer_makes_no_second_instance(real: World) -> None:
    [first] = find_instances(real, "Name", "visitor-board-by-hand")

    launch(real)

    [still] = find_instances(real, "Name", "visitor-board-by-hand")
    assert still["InstanceId"] == first["InstanceId"]


def test_an_instance_that_has_ended_gives_way_to_a_new_one(real: World) -> None:
    [first] = find_instances(real, "Name", "visitor-board-by-hand")
    real.ec2.terminate_instances(InstanceIds=[first["InstanceId"]])

    launch(real)

    [second] = find_instances(real, "Name", "visitor-board-by-hand")
    assert second["InstanceId"] != first["InstanceId"]


@pytest.mark.parametrize(
    ("zones", "code", "message"),
    [
        (1, "ValidationError", "At least two subnets in two different Availability Zones must be specified"),
        (2, "InvalidConfigurationRequest", "cannot be attached to multiple subnets in the same Availability Zone"),
    ],
    ids=["one subnet", "two of one zone"],
)
def test_a_load_balancer_in_one_zone_is_refused_as_aws_refuses_it(
    real: World, zones: int, code: str, message: str
) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        real.elbv2.create_load_balancer(Name=f"narrow-{time.monotonic_ns()}", Subnets=[real.subnet_ids[0]] * zones)
    assert raised.value.response["Error"]["Code"] == code


@pytest.fixture(scope="module")
def by_hand(lab: LabUnderTest) -> dict[str, str]:
    """What somebody made besides the steps, with the workshop's tag: kind -> id. The machine uses a step's group."""
    tags = [{"Key": "Project", "Value": "ground-school"}]
    autoscaling, ec2, elbv2 = lab.client("autoscaling"), lab.ec2, lab.client("elbv2")
    vpc, *_ = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    group = ec2.describe_security_groups(GroupNames=["visitor-board-instance"])["SecurityGroups"][0]["GroupId"]
    [trial] = lab.run(SecurityGroupIds=[group], TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    targets = elbv2.create_target_group(Name="trial", Protocol="HTTP", Port=80, VpcId=vpc["VpcId"], Tags=tags)
    ec2.create_launch_template(
        LaunchTemplateName="trial",
        LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.micro"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="trial",
        LaunchTemplate={"LaunchTemplateName": "trial"},
        AvailabilityZones=[ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]],
        MinSize=1,
        MaxSize=1,
        Tags=[{**tags[0], "PropagateAtLaunch": True}],
    )
    wait_for(lambda: lab.status()["auto_scaling_groups"][0]["instances"], 60, "the group's instance")
    return {"instance": trial, "target group": targets["TargetGroups"][0]["TargetGroupArn"], "group": "trial"}


def test_the_tagging_api_lists_what_the_steps_and_what_hands_have_made(
    lab: LabUnderTest, real: World, by_hand: dict[str, str]
) -> None:
    arns = {arn for arn, _ in tagged(real)}

    mine = f"arn:aws:ec2:{real.region}:{real.account}:instance/"
    [ours] = find_instances(real, "Name", "visitor-board-by-hand")
    assert {mine + ours["InstanceId"], mine + by_hand["instance"], by_hand["target group"]} <= arns
    assert f"arn:aws:dynamodb:{real.region}:{real.account}:table/workshop_messages" in arns
    assert not any("autoScalingGroup" in arn for arn in arns), "AWS has none of them in this API"
    assert real.tagging.get_tag_values(Key="Project")["TagValues"] == ["ground-school"]
    elsewhere = lab.client("resourcegroupstaggingapi", config=Config(region_name="eu-west-1"))
    assert elsewhere.get_resources()["ResourceTagMappingList"] == []


def test_a_teardown_leaves_nothing(lab: LabUnderTest, real: World, by_hand: dict[str, str]) -> None:
    shown = lab.ground("build", "--remove", "--dry-run").stdout
    assert f"Tagged, though no step made it: ec2:instance {by_hand['instance']}\n" in shown
    assert "Tagged, though no step made it: autoscaling:autoScalingGroup trial\n" in shown

    done = lab.ground("build", "--remove")

    assert done.returncode == 0, done.stderr
    assert f"✓ removed ec2:instance {by_hand['instance']}\n" in done.stdout
    assert "✓ removed autoscaling:autoScalingGroup trial\n" in done.stdout
    assert lab.instance(by_hand["instance"])["State"]["Name"] == "terminated"
    left = census(real)
    assert set(left) <= {"instances ever"}, left
