"""Every check is proven both ways: wrong before the step, right after it, and wrong for the classic mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from groundschool import endpoint
from groundschool.workshop import build_order
from groundschool.workshop.app import App
from groundschool.workshop.build_order import BY_NAME, COMPONENTS
from groundschool.workshop.instance import find_instance
from groundschool.workshop.launch_template import template_data
from groundschool.workshop.listener import balancers_listener
from groundschool.workshop.load_balancer import (
    balancer_group_name,
    balancer_is_admitted,
    revoke_balancer,
)
from groundschool.workshop.role import SESSION_MANAGER, TRUST
from groundschool.workshop.security_group import find_group, instance_group_name, need_group, tcp_from_world
from groundschool.workshop.target_group import need_target_group
from groundschool.workshop.world import World


def test_every_check_fails_before_its_step_and_passes_after_it(
    world: World, visits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for component in COMPONENTS:
        with monkeypatch.context() as before:
            if isinstance(component, App):
                before.setattr(endpoint, "fetch", nobody)
            check = build_order.check(world, component)
        assert not check.ok, component.name
        assert check.hint, component.name
        assert check.takeaway is None, component.name

        build_order.create(world, component)

        check = build_order.check(world, component)
        assert check.ok, (component.name, check)
        assert check.takeaway == component.why
        assert check.hint is None


def nobody(url: str, **_: object) -> endpoint.Answer:
    raise TimeoutError(f"{url} did not answer")


def close_port(world: World) -> None:
    revoke_balancer(world)


def open_to_world(world: World) -> None:
    open_port(world, instance_group_name(world), 8080)


def open_ssh(world: World) -> None:
    open_port(world, instance_group_name(world), 22)


def open_ssh_ipv6(world: World) -> None:
    group = find_group(world, instance_group_name(world))
    assert group is not None
    world.ec2.authorize_security_group_ingress(GroupId=group.group_id, IpPermissions=[SSH_IPV6])


def close_ssh_ipv6(world: World) -> None:
    group = find_group(world, instance_group_name(world))
    assert group is not None
    world.ec2.revoke_security_group_ingress(GroupId=group.group_id, IpPermissions=[SSH_IPV6])


def second_group(world: World) -> str:
    """A group of somebody's own that admits SSH."""
    made = world.ec2.create_security_group(GroupName="office", Description="x", VpcId=world.vpc_id)["GroupId"]
    world.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[tcp_from_world(22)])
    return made


def instance_groups(world: World, *more: str) -> None:
    instance = find_instance(world)
    assert instance is not None
    groups = [need_group(world, instance_group_name(world)).group_id, *more]
    world.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=groups)


def ssh_by_a_second_group(world: World) -> None:
    instance_groups(world, second_group(world))


def leave_second_group(world: World) -> None:
    instance_groups(world)
    world.ec2.delete_security_group(GroupName="office")


def template_with_a_second_group(world: World) -> None:
    data: Any = template_data(world)
    data["SecurityGroupIds"] = [*data["SecurityGroupIds"], second_group(world)]
    made = world.ec2.create_launch_template_version(LaunchTemplateName=world.name, LaunchTemplateData=data)
    number = str(made["LaunchTemplateVersion"]["VersionNumber"])
    world.ec2.modify_launch_template(LaunchTemplateName=world.name, DefaultVersion=number)


def open_to_the_ipv6_world(world: World) -> None:
    rule: Any = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    group = need_group(world, instance_group_name(world))
    world.ec2.authorize_security_group_ingress(GroupId=group.group_id, IpPermissions=[rule])


def close_balancer(world: World) -> None:
    group = find_group(world, balancer_group_name(world))
    assert group is not None
    world.ec2.revoke_security_group_ingress(GroupId=group.group_id, IpPermissions=[tcp_from_world(80)])


def open_port(world: World, name: str, port: int) -> None:
    group = find_group(world, name)
    assert group is not None
    world.ec2.authorize_security_group_ingress(GroupId=group.group_id, IpPermissions=[tcp_from_world(port)])


def empty_profile(world: World) -> None:
    world.iam.remove_role_from_instance_profile(InstanceProfileName=world.iam_name, RoleName=world.iam_name)


def template_without_profile(world: World) -> None:
    data = {"MetadataOptions": {"HttpTokens": "required"}}
    world.ec2.create_launch_template_version(LaunchTemplateName=world.name, LaunchTemplateData=data)  # type: ignore[arg-type]
    latest = world.ec2.describe_launch_templates(LaunchTemplateNames=[world.name])["LaunchTemplates"][0]
    number = str(latest["LatestVersionNumber"])
    world.ec2.modify_launch_template(LaunchTemplateName=world.name, DefaultVersion=number)


def open_everything(world: World) -> None:
    """The rule somebody adds when nothing else helps."""
    group = find_group(world, instance_group_name(world))
    assert group is not None
    world.ec2.authorize_security_group_ingress(GroupId=group.group_id, IpPermissions=[EVERYTHING])


def close_everything(world: World) -> None:
    group = find_group(world, instance_group_name(world))
    assert group is not None
    world.ec2.revoke_security_group_ingress(GroupId=group.group_id, IpPermissions=[EVERYTHING])


def wrong_target_group(world: World) -> None:
    listener = balancers_listener(world)
    assert listener is not None
    other = world.elbv2.create_target_group(Name="another", Protocol="HTTP", Port=80, VpcId=world.vpc_id)
    arn = other["TargetGroups"][0]["TargetGroupArn"]
    actions = [{"Type": "forward", "TargetGroupArn": arn}]
    world.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)  # type: ignore[arg-type]


def no_session_manager(world: World) -> None:
    world.iam.detach_role_policy(RoleName=world.iam_name, PolicyArn=SESSION_MANAGER)


def wide_policy(world: World) -> None:
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}'
    arn = f"arn:aws:iam::{world.account}:policy/{world.iam_name}"
    world.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)


def no_expiry(world: World) -> None:
    specification = {"Enabled": False, "AttributeName": "expires_at"}
    world.dynamodb.update_time_to_live(
        TableName=world.settings.table_name,
        TimeToLiveSpecification=specification,  # type: ignore[arg-type]
    )


def health_path(world: World) -> None:
    world.elbv2.modify_target_group(TargetGroupArn=need_target_group(world)["TargetGroupArn"], HealthCheckPath="/")


def small_maximum(world: World) -> None:
    world.autoscaling.update_auto_scaling_group(AutoScalingGroupName=world.name, MaxSize=2)


def ec2_health(world: World) -> None:
    world.autoscaling.update_auto_scaling_group(AutoScalingGroupName=world.name, HealthCheckType="EC2")


def one_zone(world: World) -> None:
    world.autoscaling.update_auto_scaling_group(AutoScalingGroupName=world.name, VPCZoneIdentifier=world.subnet_ids[0])


def imds_v1(world: World) -> None:
    world.ec2.create_launch_template_version(
        LaunchTemplateName=world.name,
        LaunchTemplateData={
            "IamInstanceProfile": {"Name": world.iam_name},
            "MetadataOptions": {"HttpTokens": "optional"},
        },
    )
    latest = world.ec2.describe_launch_templates(LaunchTemplateNames=[world.name])["LaunchTemplates"][0]
    number = str(latest["LatestVersionNumber"])
    world.ec2.modify_launch_template(LaunchTemplateName=world.name, DefaultVersion=number)


def hot_target(world: World) -> None:
    world.autoscaling.put_scaling_policy(
        AutoScalingGroupName=world.name,
        PolicyName=f"{world.name}-cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 95.0,
            "DisableScaleIn": False,
        },
    )


def close_ssh(world: World) -> None:
    group = find_group(world, instance_group_name(world))
    assert group is not None
    world.ec2.revoke_security_group_ingress(GroupId=group.group_id, IpPermissions=[tcp_from_world(22)])


NOT_MENDED = {
    "open SSH": close_ssh,
    "open SSH by IPv6": close_ssh_ipv6,
    "open SSH by a second group": leave_second_group,
    "open to everything": close_everything,
}
"""A rule that somebody added on purpose is found, and left for them to remove."""

SSH_IPV6: Any = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}

EVERYTHING: Any = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}

MISTAKES: dict[str, tuple[str, Callable[[World], None], str]] = {
    "port closed": ("security-group", close_port, "admits nobody to TCP 8080"),
    "open SSH": ("security-group", open_ssh, r"admits SSH \(TCP 22\) from 0.0.0.0/0"),
    "open SSH by IPv6": ("security-group", open_ssh_ipv6, r"admits SSH \(TCP 22\) from ::/0"),
    "open SSH by a second group": ("instance", ssh_by_a_second_group, r"can be reached: office admits SSH \(TCP 22\)"),
    "a template with open SSH": (
        "launch-template",
        template_with_a_second_group,
        r"every instance of visitor-board can be reached: office admits SSH",
    ),
    "group from the IPv6 world": ("listener", open_to_the_ipv6_world, "still admits"),
    "open to everything": ("security-group", open_everything, r"admits SSH \(TCP 22\) from 0.0.0.0/0"),
    "no expiry": ("table", no_expiry, "never expire"),
    "role in no profile": ("role", empty_profile, "in no instance profile"),
    "no session manager": ("role", no_session_manager, "lacks AmazonSSMManagedInstanceCore"),
    "policy too wide": ("role", wide_policy, "is not the board's"),
    "health path wrong": ("target-group", health_path, "asks / for health"),
    "balancer closed": ("load-balancer", close_balancer, "does not admit the world to TCP 80"),
    "balancer not admitted": ("load-balancer", close_port, "does not admit visitor-board-load-balancer"),
    "group from the world": ("listener", open_to_world, "still admits 0.0.0.0/0"),
    "IMDSv1 allowed": ("launch-template", imds_v1, "allows IMDSv1"),
    "template without profile": ("launch-template", template_without_profile, "has no instance profile"),
    "listener to another group": ("listener", wrong_target_group, "does not forward to visitor-board"),
    "max size too low": ("auto-scaling-group", small_maximum, "may grow to 2 instances"),
    "EC2 health only": ("auto-scaling-group", ec2_health, "asks only EC2"),
    "one AZ only": ("auto-scaling-group", one_zone, "is in one zone"),
    "target too hot": ("scaling-policy", hot_target, "keeps CPU at 95 %"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_classic_mistake_is_found_answered_with_a_question_and_mended_by_building(
    mended: World, mistake: str
) -> None:
    name, make, found = MISTAKES[mistake]
    make(mended)

    check = build_order.check(mended, BY_NAME[name])

    assert not check.ok
    assert re.search(found, check.found)
    assert check.hint is not None
    assert "?" in check.hint
    if mistake in NOT_MENDED:
        NOT_MENDED[mistake](mended)
    for component in COMPONENTS:
        build_order.create(mended, component)
    assert build_order.check(mended, BY_NAME[name]).ok


def test_an_instance_without_profile_is_found(world: World) -> None:
    image = world.ssm.get_parameter(Name=world.settings.image_parameter)["Parameter"]["Value"]
    world.ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=world.tag_specification("instance", "visitor-board-by-hand"),
    )

    assert "has no instance profile" in build_order.check(world, BY_NAME["instance"]).found


def test_an_instance_that_answers_imds_v1_is_found(world: World) -> None:
    build_order.remove(world, BY_NAME["instance"])  # a neighbour's, which was launched in the same second
    build_order.create(world, BY_NAME["security-group"])
    build_order.create(world, BY_NAME["role"])
    image = world.ssm.get_parameter(Name=world.settings.image_parameter)["Parameter"]["Value"]
    world.ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": world.iam_name},
        MetadataOptions={"HttpTokens": "optional"},
        TagSpecifications=world.tag_specification("instance", "visitor-board-by-hand"),
    )

    assert "answers IMDSv1" in build_order.check(world, BY_NAME["instance"]).found


def test_in_the_wrong_region_every_check_fails_and_names_the_region_it_looked_in(built: World) -> None:
    elsewhere = World(boto3.Session(region_name="eu-west-1"), built.settings)

    for component in COMPONENTS:
        if component.name in ("app", "listener", "scaling-policy"):
            continue  # they say what they stand on is missing, and that one names the region
        check = build_order.check(elsewhere, component)
        assert not check.ok, component.name
        assert "eu-west-1" in check.found, component.name


def test_a_rule_made_by_another_hand_is_revoked_whatever_its_description(built: World) -> None:
    revoke_balancer(built)
    instances, balancers = need_group(built, instance_group_name(built)), need_group(built, balancer_group_name(built))
    built.ec2.authorize_security_group_ingress(
        GroupId=instances.group_id,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "UserIdGroupPairs": [{"GroupId": balancers.group_id, "Description": "by a learner"}],
            }
        ],
    )

    revoke_balancer(built)

    assert not balancer_is_admitted(built)


def test_a_stopped_instance_is_found_and_started_again(built: World) -> None:
    instance = find_instance(built)
    assert instance is not None
    built.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])

    assert "is stopped" in build_order.check(built, BY_NAME["instance"]).found
    build_order.create(built, BY_NAME["instance"])
    instance = find_instance(built)
    assert instance is not None
    assert instance["State"]["Name"] == "running"


def test_a_check_tells_the_status_that_visitors_get(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "fetch", lambda *_, **__: endpoint.Answer(503, {}, b"", 0.1))

    assert "answers 503" in build_order.check(built, BY_NAME["listener"]).found
    assert "answers 503" in build_order.check(built, BY_NAME["app"]).found


def test_the_trust_policy_is_for_ec2_alone() -> None:
    assert [each["Principal"] for each in TRUST["Statement"]] == [{"Service": "ec2.amazonaws.com"}]  # type: ignore[index]
