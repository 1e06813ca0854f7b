"""Component 7: the single entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.security_group import (
    WORLD,
    admission_of_the_world,
    creation,
    delete_group,
    find_group,
    instance_group_name,
    need_group,
    rules_of,
    tcp_from_group,
)
from groundschool.workshop.target_group import elbv2_tags
from groundschool.workshop.world import World

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import LoadBalancerTypeDef

DROP_INVALID_HEADERS = "routing.http.drop_invalid_header_fields.enabled"
"""Header names that HTTP does not allow are how one request is smuggled inside another; AWS lets them pass."""


def balancer_group_name(world: World) -> str:
    return f"{world.name}-load-balancer"


def find_load_balancer(world: World) -> LoadBalancerTypeDef | None:
    try:
        return world.elbv2.describe_load_balancers(Names=[world.name])["LoadBalancers"][0]
    except world.elbv2.exceptions.LoadBalancerNotFoundException:
        return None


def balancer_is_admitted(world: World) -> bool:
    """Whether the instance's group admits the load balancer's group to the app's port."""
    instance, balancer = find_group(world, instance_group_name(world)), find_group(world, balancer_group_name(world))
    return bool(instance and balancer and balancer.group_id in instance.sources(world.settings.app_port))


class LoadBalancer(Component):
    """An internet-facing Application Load Balancer with a security group of its own, which the instance's group admits.

    The instance's group keeps its old rule for the world until the listener serves: first the new door opens, then the
    old one closes, and no visitor stands before two closed ones.
    """

    number = 7
    session = 2
    name = "load-balancer"
    title = "load balancer"
    why = (
        "One name in front of any number of instances, in at least two zones, so that instances can come and go "
        "unseen; it costs about as much per hour as two t3.micro and a hop on every request."
    )
    depends_on = ("security-group",)

    def plan(self, world: World) -> list[Action]:
        return [*plan_balancer_group(world), *plan_load_balancer(world)]

    def wait(self, world: World) -> None:
        def active() -> bool:
            balancer = find_load_balancer(world)
            return balancer is not None and balancer["State"]["Code"] == "active"

        world.wait(f"load balancer {world.name} to be active", active)

    def inspect(self, world: World) -> Check:
        balancer = find_load_balancer(world)
        if balancer is None:
            return absent(
                f"no load balancer {world.name} in {world.region}",
                "Which address do visitors use when instances come and go?",
            )
        state = balancer["State"]["Code"]
        if state != "active":
            return wrong(f"{world.name} is {state}", "How long does AWS take to start a load balancer?")
        zones = sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"])
        if len(zones) < 2:
            return wrong(f"{world.name} is only in {', '.join(zones)}", "What do visitors see when that zone fails?")
        group = find_group(world, balancer_group_name(world))
        if group is None or group.group_id not in balancer.get("SecurityGroups", []):
            return wrong(
                f"{world.name} is not in the security group {balancer_group_name(world)}",
                "How does the instance's group tell the load balancer from the rest of the world?",
            )
        port = world.settings.listener_port
        if WORLD not in group.sources(port):
            return wrong(f"{group.name} does not admit the world to TCP {port}", "On which port do visitors come?")
        if not balancer_is_admitted(world):
            return wrong(
                f"{instance_group_name(world)} does not admit {group.name}",
                "A target that drops the balancer's packets: which reason will its health show?",
            )
        return right(f"{world.name} is active in {' and '.join(zones)} at {balancer['DNSName']}")

    def removal(self, world: World) -> list[Action]:
        actions = []
        if (balancer := find_load_balancer(world)) is not None:
            world.must_own(f"load balancer {world.name}", elbv2_tags(world, balancer["LoadBalancerArn"]))
            actions.append(Action(f"Delete load balancer {world.name}", lambda: delete_load_balancer(world)))
        group = find_group(world, balancer_group_name(world))
        if group is not None:
            world.must_own(f"security group {group.name}", group.tags)
            if balancer_is_admitted(world):
                actions.append(Action(f"Stop admitting {group.name} to the instances", lambda: revoke_balancer(world)))
            actions.append(Action(f"Delete security group {group.name}", lambda: delete_group(world, group)))
        return actions


def plan_balancer_group(world: World) -> list[Action]:
    name, port = balancer_group_name(world), world.settings.listener_port
    group = find_group(world, name)
    actions = []
    if group is None:
        actions.append(creation(world, name, "Visitor Board: who may reach the load balancer"))
    if group is None or WORLD not in group.sources(port):
        actions.append(admission_of_the_world(world, name, port))
    if not balancer_is_admitted(world):
        actions.append(
            Action(
                f"Admit TCP {world.settings.app_port} from {name} in {instance_group_name(world)}",
                lambda: admit_balancer(world),
            )
        )
    return actions


def plan_load_balancer(world: World) -> list[Action]:
    balancer = find_load_balancer(world)
    if balancer is None:
        what = f"Create load balancer {world.name} in {world.settings.availability_zones} availability zones"
        return [Action(what, lambda: create_load_balancer(world))]
    group = find_group(world, balancer_group_name(world))
    if group is not None and group.group_id in balancer.get("SecurityGroups", []):
        return []
    return [Action(f"Put {world.name} into its security group", lambda: set_group(world, balancer["LoadBalancerArn"]))]


def create_load_balancer(world: World) -> None:
    made = world.elbv2.create_load_balancer(
        Name=world.name,
        Type="application",
        Scheme="internet-facing",
        IpAddressType="ipv4",
        Subnets=list(world.subnet_ids),
        SecurityGroups=[need_group(world, balancer_group_name(world)).group_id],
        Tags=world.tag_list(world.name),
    )
    world.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
        Attributes=[{"Key": DROP_INVALID_HEADERS, "Value": "true"}],
    )


def set_group(world: World, arn: str) -> None:
    group = need_group(world, balancer_group_name(world))
    world.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group.group_id])


def admit_balancer(world: World) -> None:
    balancer = need_group(world, balancer_group_name(world))
    world.ec2.authorize_security_group_ingress(
        GroupId=need_group(world, instance_group_name(world)).group_id,
        IpPermissions=[tcp_from_group(world.settings.app_port, balancer.group_id)],
    )


def revoke_balancer(world: World) -> None:
    balancer, instance = need_group(world, balancer_group_name(world)), need_group(world, instance_group_name(world))
    world.ec2.revoke_security_group_ingress(
        GroupId=instance.group_id, IpPermissions=rules_of(instance, world.settings.app_port, balancer.group_id)
    )


def delete_load_balancer(world: World) -> None:
    balancer = find_load_balancer(world)
    if balancer is not None:
        world.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    world.wait(f"load balancer {world.name} to be gone", lambda: find_load_balancer(world) is None)
