"""The build order: what depends on what, doing it twice, and undoing it."""

from __future__ import annotations

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from groundschool.errors import BuildError, UsageError
from groundschool.workshop import build_order
from groundschool.workshop.build_order import BY_NAME, COMPONENTS
from groundschool.workshop.instance import by_hand_name, find_instance
from groundschool.workshop.public_address import public_url
from groundschool.workshop.security_group import WORLD, find_group, instance_group_name
from groundschool.workshop.target_group import find_target_group, target_states
from groundschool.workshop.world import World


def build(world: World, session: int) -> None:
    for component in build_order.select(session=session):
        build_order.create(world, component)


def plans(world: World) -> dict[str, list[str]]:
    return {each.name: [action.says for action in build_order.plan(world, each)] for each in COMPONENTS}


def test_the_order_is_the_workshops_and_every_dependency_comes_before_what_needs_it() -> None:
    assert [each.number for each in COMPONENTS] == list(range(1, 12))
    assert [each.session for each in COMPONENTS] == [1] * 5 + [2] * 6
    for component in COMPONENTS:
        assert all(BY_NAME[name].number < component.number for name in component.depends_on)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.name)
def test_every_component_gives_its_reason_in_words(component: build_order.Component) -> None:
    assert 60 < len(component.why) < 400
    assert component.title


def test_a_built_component_plans_nothing(built: World) -> None:
    assert plans(built) == {each.name: [] for each in COMPONENTS}


def test_creating_twice_asks_for_no_change_the_second_time(changes: list[str], built: World) -> None:
    changes.clear()

    assert [action for each in COMPONENTS for action in build_order.create(built, each)] == []
    assert changes == []


def test_planning_an_empty_world_changes_nothing_and_says_every_step(changes: list[str], world: World) -> None:
    planned = plans(world)

    assert changes == []
    assert all(planned.values())
    assert planned["security-group"] == [
        "Create security group visitor-board-instance",
        "Admit TCP 8080 from 0.0.0.0/0 in visitor-board-instance",
    ]


def test_planning_the_removal_changes_nothing(built: World, changes: list[str]) -> None:
    fresh = World.from_environment(built.settings)

    assert all(build_order.removal(fresh, each) for each in COMPONENTS)
    assert changes == []


def test_removing_everything_leaves_nothing_and_everything_can_be_built_again(built: World) -> None:
    assert build_order.leftovers(built)
    for component in reversed(COMPONENTS):
        build_order.remove(built, component)

    assert build_order.leftovers(built) == []
    assert all(plans(built).values())
    assert build_order.create(built, COMPONENTS[0])


def test_removing_what_is_not_there_does_nothing(world: World, changes: list[str]) -> None:
    assert [action for each in reversed(COMPONENTS) for action in build_order.remove(world, each)] == []
    assert changes == []


def test_a_resource_with_our_name_but_without_our_tag_is_not_removed(world: World) -> None:
    world.ec2.create_security_group(GroupName=instance_group_name(world), Description="mine", VpcId=world.vpc_id)

    with pytest.raises(BuildError, match=r"without the tag Project=ground-school.*by hand"):
        build_order.remove(world, BY_NAME["security-group"])

    assert find_group(world, instance_group_name(world)) is not None


def test_an_instance_with_our_tag_that_no_component_knows_is_a_leftover(world: World) -> None:
    image = world.ssm.get_parameter(Name=world.settings.image_parameter)["Parameter"]["Value"]
    run = world.ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=world.tag_specification("instance", "stray")
    )

    assert build_order.leftovers(world) == [f"EC2 instance {run['Instances'][0]['InstanceId']}"]


def test_a_missing_dependency_is_named_with_the_command_that_builds_it(world: World) -> None:
    with pytest.raises(
        BuildError, match=r"The EC2 instance needs the security group first.*ground build security-group"
    ):
        build_order.need_dependencies(world, BY_NAME["instance"], [BY_NAME["instance"]])


def test_a_dependency_that_is_going_to_be_built_is_not_missing(world: World) -> None:
    for component in COMPONENTS:
        build_order.need_dependencies(world, component, COMPONENTS)


def test_what_others_stand_on_is_not_removed_alone(built: World) -> None:
    with pytest.raises(BuildError, match=r"The IAM role is still needed by the EC2 instance"):
        build_order.need_no_dependants(built, BY_NAME["role"], [BY_NAME["role"]])
    build_order.need_no_dependants(built, BY_NAME["role"], COMPONENTS)


def test_components_are_selected_by_name_and_session_in_build_order() -> None:
    assert [each.name for each in build_order.select(["table", "security-group"])] == ["security-group", "table"]
    assert [each.number for each in build_order.select(session=2)] == [6, 7, 8, 9, 10, 11]
    assert build_order.select(["table"], session=2) == ()


def test_an_unknown_component_is_a_usage_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"no component 'tabel'. There are: security-group, table"):
        build_order.select(["tabel"])


@pytest.mark.parametrize(
    ("code", "next_step"),
    [
        ("ExpiredToken", "Your credentials have expired: get new ones and run the same command again"),
        ("UnauthorizedOperation", "Use credentials that may do this"),
        ("SomethingElse", "Run the same command again, it goes on where it stopped"),
    ],
)
def test_an_aws_error_becomes_a_build_error_with_component_code_and_next_step(
    world: World, code: str, next_step: str
) -> None:
    with Stubber(world.ec2) as stub:
        stub.add_client_error("describe_vpcs", code, "It is so.")
        with pytest.raises(BuildError) as raised:
            build_order.create(world, BY_NAME["security-group"])

    said = f"The security group could not be created: DescribeVpcs answers {code}: It is so. {next_step}"
    assert str(raised.value).startswith(said)


def test_no_credentials_become_a_build_error_that_says_what_to_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.session, "client", lambda *_, **__: no_credentials())

    with pytest.raises(BuildError, match=r"could not be planned: Unable to locate credentials.*ground up"):
        build_order.plan(world, BY_NAME["security-group"])


def no_credentials() -> None:
    raise NoCredentialsError


def test_after_session_1_the_world_reaches_the_instance_itself(world: World) -> None:
    build(world, session=1)

    instance = find_instance(world)
    assert instance is not None
    assert public_url(world) == f"http://{instance['PublicIpAddress']}:8080/"
    group = find_group(world, instance_group_name(world))
    assert group is not None
    assert group.sources(8080) == {WORLD}


def test_the_first_instance_serves_behind_the_balancer_until_the_group_does(world: World) -> None:
    build(world, session=1)
    instance = find_instance(world)
    assert instance is not None
    for name in ("target-group", "load-balancer", "listener"):
        build_order.create(world, BY_NAME[name])
    targets = find_target_group(world)
    assert targets is not None
    assert target_states(world, targets["TargetGroupArn"]) == {instance["InstanceId"]: "healthy"}

    for name in ("launch-template", "auto-scaling-group"):
        build_order.create(world, BY_NAME[name])

    assert instance["InstanceId"] not in target_states(world, targets["TargetGroupArn"])
    assert len(target_states(world, targets["TargetGroupArn"])) == 2
    assert find_instance(world) is not None, f"{by_hand_name(world)} keeps running"


def test_in_session_2_the_instances_admit_the_balancer_only_and_session_1_still_checks(built: World) -> None:
    group = find_group(built, instance_group_name(built))
    assert group is not None

    assert WORLD not in group.sources(8080)
    assert len(group.sources(8080)) == 1
    assert build_order.check(built, BY_NAME["security-group"]).ok


def test_when_the_balancer_is_gone_the_world_is_let_in_again(built: World) -> None:
    for name in ("scaling-policy", "auto-scaling-group", "launch-template", "listener", "load-balancer"):
        build_order.remove(built, BY_NAME[name])
    build_order.create(built, BY_NAME["security-group"])

    group = find_group(built, instance_group_name(built))
    assert group is not None
    assert group.sources(8080) == {WORLD}
