"""Component 8: the port visitors come in by, and the moment the old one closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool import endpoint
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.load_balancer import balancer_is_admitted, find_load_balancer
from groundschool.workshop.security_group import (
    ANYBODY,
    WORLD,
    WORLD_IPV6,
    find_group,
    instance_group_name,
    need_group,
    rules_of,
)
from groundschool.workshop.target_group import find_target_group, need_target_group, target_states
from groundschool.workshop.world import World

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ListenerTypeDef


def find_listener(world: World, balancer_arn: str) -> ListenerTypeDef | None:
    """The balancer's listener on the public port."""
    found = world.elbv2.describe_listeners(LoadBalancerArn=balancer_arn)["Listeners"]
    return next((each for each in found if each.get("Port") == world.settings.listener_port), None)


def balancers_listener(world: World) -> ListenerTypeDef | None:
    balancer = find_load_balancer(world)
    return find_listener(world, balancer["LoadBalancerArn"]) if balancer else None


def forwards_to(listener: ListenerTypeDef) -> set[str]:
    """ARNs of the target groups its default action sends to, in either of AWS's two spellings."""
    found = set()
    for action in listener.get("DefaultActions", []):
        found |= {group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])}
        if "TargetGroupArn" in action:
            found.add(action["TargetGroupArn"])
    return found


def forwards_rightly(world: World, listener: ListenerTypeDef) -> bool:
    group = find_target_group(world)
    return group is not None and forwards_to(listener) == {group["TargetGroupArn"]}


def world_reaches_instances(world: World) -> bool:
    group = find_group(world, instance_group_name(world))
    return group is not None and bool(ANYBODY & group.sources(world.settings.app_port))


class Listener(Component):
    """The HTTP listener. Once visitors get in this way, the instance's group stops admitting the world."""

    number = 8
    session = 2
    name = "listener"
    title = "listener"
    why = (
        "Visitors enter by one door and instances admit only the balancer, so nobody goes around its health "
        "checks; the price is that the board is now exactly as reachable as this one door. HTTPS would end here "
        "too, given a domain."
    )
    depends_on = ("target-group", "load-balancer")

    def plan(self, world: World) -> list[Action]:
        port, listener = world.settings.listener_port, balancers_listener(world)
        actions = []
        if listener is None:
            what = f"Create listener HTTP:{port}, forwarding to {world.name}"
            actions.append(Action(what, lambda: create_listener(world)))
        elif not forwards_rightly(world, listener):
            what = f"Let the listener forward to {world.name}"
            actions.append(Action(what, lambda: forward(world, listener["ListenerArn"])))
        if world_reaches_instances(world):
            what = f"Stop admitting {WORLD} to TCP {world.settings.app_port} of the instances"
            actions.append(Action(what, lambda: close_old_door(world)))
        return actions

    def inspect(self, world: World) -> Check:
        balancer, listener = find_load_balancer(world), balancers_listener(world)
        port = world.settings.listener_port
        if balancer is None or listener is None:
            return absent(f"{world.name} listens to nothing on port {port}", "Which port does a browser ask first?")
        if not forwards_rightly(world, listener):
            return wrong(f"the listener does not forward to {world.name}", "Which target group gets the requests?")
        if world_reaches_instances(world):
            return wrong(
                f"{instance_group_name(world)} still admits {WORLD} to TCP {world.settings.app_port}",
                "Who can go around the load balancer, and its health checks? Admit its group, not the world.",
            )
        if not balancer_is_admitted(world):
            return wrong(
                "the instances do not admit the load balancer", "Which source does the balancer's traffic have?"
            )
        url = f"http://{balancer['DNSName']}/"
        seen = answer(world, url)
        if seen != 200:
            told = "does not answer" if seen is None else f"answers {seen}"
            return wrong(
                f"{url} {told}", "Are there registered targets, and healthy ones? aws elbv2 describe-target-health"
            )
        return right(f"{url} serves the board, and the instances admit only the load balancer")

    def removal(self, world: World) -> list[Action]:
        """A listener is deleted with its balancer; alone it goes when only this step is removed."""
        listener = balancers_listener(world)
        if listener is None:
            return []
        arn = listener["ListenerArn"]
        return [Action(f"Delete listener of {world.name}", lambda: world.elbv2.delete_listener(ListenerArn=arn))]


def answer(world: World, url: str) -> int | None:
    """What the health path answers through the balancer, None when nobody does."""
    try:
        return endpoint.fetch(url.rstrip("/") + world.settings.health_path).status
    except OSError:
        return None


def create_listener(world: World) -> None:
    balancer = world.wait(f"load balancer {world.name}", lambda: find_load_balancer(world))
    world.elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=world.settings.listener_port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": need_target_group(world)["TargetGroupArn"]}],
        Tags=world.tag_list(world.name),
    )


def forward(world: World, listener_arn: str) -> None:
    world.elbv2.modify_listener(
        ListenerArn=listener_arn,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": need_target_group(world)["TargetGroupArn"]}],
    )


def close_old_door(world: World) -> None:
    """Only when the new one is seen to work, if there is anybody behind it yet."""
    balancer = world.wait(f"load balancer {world.name}", lambda: find_load_balancer(world))
    url = f"http://{balancer['DNSName']}/"
    if target_states(world, need_target_group(world)["TargetGroupArn"]):
        world.wait(f"the board at {url}", lambda: answer(world, url) == 200)
    group, port = need_group(world, instance_group_name(world)), world.settings.app_port
    rules = [rule for source in (WORLD, WORLD_IPV6) for rule in rules_of(group, port, source)]
    world.ec2.revoke_security_group_ingress(GroupId=group.group_id, IpPermissions=rules)
