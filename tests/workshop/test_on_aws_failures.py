"""What AWS may answer in the middle: each is told in one line, and the same command goes on."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from rich.console import Console
from tests.workshop.faults import Fault, aws_error, census

from groundschool.cli.build import build
from groundschool.cli.take_down import take_down
from groundschool.cli.world import AWS
from groundschool.errors import BuildError
from groundschool.workshop import build_order
from groundschool.workshop.build_order import BY_NAME, COMPONENTS
from groundschool.workshop.instance import by_hand_name, client_token, image_id, launch, launch_request
from groundschool.workshop.launch_template import add_version, default_data, find_template
from groundschool.workshop.waiting import Wait, wait_for
from groundschool.workshop.world import World


def built(world: World) -> str:
    said = io.StringIO()
    try:
        build(Console(file=said, width=200), world, COMPONENTS, on=AWS)
    except BuildError as error:
        return f"{said.getvalue()}{error}"
    return said.getvalue()


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ("CreateTable", "ThrottlingException", "it goes on where it stopped"),
        ("CreateRole", "ExpiredToken", "Your credentials have expired: get new ones and run the same command again"),
        ("RunInstances", "InsufficientInstanceCapacity", "no such instance free in these zones"),
        ("CreateLoadBalancer", "AccessDenied", "Use credentials that may do this"),
        ("CreateAutoScalingGroup", "Throttling", "AWS asks for patience"),
    ],
)
def test_a_failed_build_says_what_exists_how_to_go_on_and_goes_on(
    world: World, operation: str, code: str, said: str
) -> None:
    fault = Fault(world)
    fault.refuse(operation, code)

    failed = built(world)
    fault.none()
    again = built(world)

    assert "What exists now:\n    security group visitor-board-instance\n" in failed
    assert "Go on: the same command again. Back: ground down --on aws\n" in failed
    assert f"{operation} answers {code}: It is so" in failed
    assert said in failed
    assert "Next: ground load --on aws" in again
    assert census(world)["instances ever"] == 3


def test_when_nothing_can_be_listed_any_more_it_says_so_and_how_to_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(_: World) -> list[str]:
        raise BuildError("Your credentials have expired")

    monkeypatch.setattr(build_order, "leftovers", expired)
    Fault(world).refuse("CreateTable", "ExpiredToken")

    assert "What exists could not be listed: Your credentials have expired\nGo on: " in built(world)


def test_an_instance_is_launched_in_another_zone_when_the_first_has_none_free(world: World) -> None:
    for name in ("security-group", "role"):
        build_order.create(world, BY_NAME[name])
    Fault(world).refuse("RunInstances", "InsufficientInstanceCapacity", times=1)

    build_order.create(world, BY_NAME["instance"])

    [reservation] = world.ec2.describe_instances()["Reservations"]
    assert [each["SubnetId"] for each in reservation["Instances"]] == [world.subnet_ids[1]]


def test_a_repeated_launch_carries_the_same_token_and_an_ended_instance_the_next(world: World) -> None:
    for name in ("security-group", "role"):
        build_order.create(world, BY_NAME[name])
    request = {**launch_request(world, image_id(world), by_hand_name(world)), "SubnetId": world.subnet_ids[0]}
    first, second, groups = client_token(request, []), client_token(request, ["i-1"]), _groups(world)
    with Stubber(world.ec2) as stub:
        stub.add_response("describe_security_groups", groups)
        stub.add_response("run_instances", _run("i-1", "terminated"), {**request, "ClientToken": first})
        stub.add_response("run_instances", _run("i-2", "pending"), {**request, "ClientToken": second})
        stub.add_response("describe_instances", {"Reservations": [_run("i-2", "pending")]})
        launch(world)
        stub.assert_no_pending_responses()
    assert len(first) == 64


def _groups(world: World) -> dict[str, object]:
    answer = world.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["visitor-board-instance"]}])
    return {"SecurityGroups": answer["SecurityGroups"]}


def _run(instance_id: str, state: str) -> dict[str, object]:
    return {"Instances": [{"InstanceId": instance_id, "State": {"Name": state}, "LaunchTime": datetime.now(UTC)}]}


def test_a_template_version_that_was_made_but_not_chosen_is_chosen_and_not_made_again(world: World) -> None:
    for name in ("security-group", "role", "table", "instance", "app", "launch-template"):
        build_order.create(world, BY_NAME[name])
    world.ec2.create_launch_template_version(
        LaunchTemplateName=world.name, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    world.ec2.modify_launch_template(LaunchTemplateName=world.name, DefaultVersion="2")
    fault = Fault(world)
    fault.interrupt_after_change(1)
    with pytest.raises(KeyboardInterrupt):
        add_version(world)
    fault.none()

    add_version(world)

    template = find_template(world)
    assert template is not None
    assert (template["LatestVersionNumber"], template["DefaultVersionNumber"]) == (3, 3)
    assert default_data(world)["InstanceType"] == world.settings.instance_type


def test_a_group_that_is_still_used_is_waited_for_and_then_named(world: World) -> None:
    built(world)
    fault = Fault(world)
    fault.refuse("DeleteSecurityGroup", "DependencyViolation", times=3)
    take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)
    built(world)
    fault.refuse("DeleteSecurityGroup", "DependencyViolation")

    with pytest.raises(BuildError, match="Waited 1 s for security group visitor-board-load-balancer to be unused"):
        take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)

    fault.none()
    take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)
    assert "security groups" not in census(world)


def test_expired_credentials_end_a_teardown_in_one_line_and_it_goes_on(world: World) -> None:
    built(world)
    fault = Fault(world)
    fault.refuse("DeleteLoadBalancer", "ExpiredToken")
    with pytest.raises(
        BuildError, match=r"could not be removed: DeleteLoadBalancer answers ExpiredToken.*get new ones"
    ):
        take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)

    fault.none()
    take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)
    assert census(world) == {"instances ever": 3}


def test_being_throttled_while_waiting_is_one_more_reason_to_look_later_and_nothing_else_is() -> None:
    answers: list[object] = [aws_error("DescribeTable", "ThrottlingException"), None, "ACTIVE"]

    def look() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_for("it", look, Wait(1, 0.001, 0.001)) == "ACTIVE"
    answers[:] = [aws_error("DescribeTable", "AccessDenied")]
    with pytest.raises(ClientError):
        wait_for("it", look, Wait(1, 0.001, 0.001))
