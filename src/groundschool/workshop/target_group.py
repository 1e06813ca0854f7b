"""Component 6: the list of who may serve, and how their health is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.instance import find_instance
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TargetGroupTypeDef

DELAY = "deregistration_delay.timeout_seconds"
LEAVING = ("draining", "unused")


def find_target_group(world: World) -> TargetGroupTypeDef | None:
    try:
        return world.elbv2.describe_target_groups(Names=[world.name])["TargetGroups"][0]
    except world.elbv2.exceptions.TargetGroupNotFoundException:
        return None


def need_target_group(world: World) -> TargetGroupTypeDef:
    return world.wait(f"target group {world.name}", lambda: find_target_group(world))


def elbv2_tags(world: World, arn: str) -> dict[str, str]:
    return tag_map(world.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def target_states(world: World, arn: str) -> dict[str, str]:
    """Instance id -> state, of everything that is or was just registered."""
    found = world.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}


def has_scaling_group(world: World) -> bool:
    found = world.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[world.name])["AutoScalingGroups"]
    return any("Status" not in each for each in found)


def different(world: World, group: TargetGroupTypeDef) -> list[str]:
    """Which of the health check's settings are not the designed ones."""
    chosen = world.settings
    seen = {
        "path": (group.get("HealthCheckPath"), chosen.health_path),
        "interval": (group.get("HealthCheckIntervalSeconds"), chosen.health_check_interval),
        "time-out": (group.get("HealthCheckTimeoutSeconds"), chosen.health_check_timeout),
        "healthy threshold": (group.get("HealthyThresholdCount"), chosen.healthy_threshold),
        "unhealthy threshold": (group.get("UnhealthyThresholdCount"), chosen.unhealthy_threshold),
    }
    return [f"{name} {is_now} instead of {wanted}" for name, (is_now, wanted) in seen.items() if is_now != wanted]


def drain_time(world: World, arn: str) -> str | None:
    found = world.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return next((each["Value"] for each in found if each["Key"] == DELAY), None)


class TargetGroup(Component):
    """The target group. Until an Auto Scaling group fills it, the instance of session 1 serves through it, so that the
    board stays up while the load balancer is put in front of it; the group retires that instance when it is in service.
    """

    number = 6
    session = 2
    name = "target-group"
    title = "target group"
    why = (
        "Who serves is decided by a health check and no longer by an address: shallow and frequent finds dead "
        "instances in 20 s and never blames them for the database, at the price of keeping one that answers but "
        "cannot do its work."
    )
    depends_on = ("app",)

    def plan(self, world: World) -> list[Action]:
        group = find_target_group(world)
        actions = []
        if group is None:
            actions.append(Action(f"Create target group {world.name}", lambda: create_target_group(world)))
        elif changes := different(world, group):
            actions.append(
                Action(f"Change target group {world.name}: {', '.join(changes)}", lambda: set_health_check(world))
            )
        delay = str(world.settings.deregistration_delay)
        if group is None or drain_time(world, group["TargetGroupArn"]) != delay:
            actions.append(Action(f"Let its targets drain for {delay} s at most", lambda: set_drain_time(world)))
        return actions + plan_registration(world, group)

    def inspect(self, world: World) -> Check:
        group = find_target_group(world)
        if group is None:
            return absent(
                f"no target group {world.name} in {world.region}", "How will a load balancer know whom it may send to?"
            )
        path, chosen = group.get("HealthCheckPath"), world.settings
        if path != chosen.health_path:
            return wrong(
                f"{world.name} asks {path} for health",
                f"Which path tells that the process can serve, whatever its table does? ({chosen.health_path})",
            )
        if group.get("Port") != chosen.app_port:
            return wrong(f"{world.name} sends to port {group.get('Port')}", "On which port does the app listen?")
        states = target_states(world, group["TargetGroupArn"])
        if "healthy" not in states.values() and group.get("LoadBalancerArns") and states:
            told = ", ".join(f"{target} is {state}" for target, state in states.items())
            return wrong(
                f"no healthy target: {told}", "May the load balancer reach the app's port, and what does it answer?"
            )
        healthy = sum(state == "healthy" for state in states.values())
        return right(f"{world.name} asks {path} every {group.get('HealthCheckIntervalSeconds')} s; {healthy} healthy")

    def removal(self, world: World) -> list[Action]:
        group = find_target_group(world)
        if group is None:
            return []
        arn = group["TargetGroupArn"]
        world.must_own(f"target group {world.name}", elbv2_tags(world, arn))
        return [
            Action(f"Delete target group {world.name}", lambda: world.elbv2.delete_target_group(TargetGroupArn=arn))
        ]


def plan_registration(world: World, group: TargetGroupTypeDef | None) -> list[Action]:
    """The instance of session 1 serves until there is an Auto Scaling group."""
    instance = find_instance(world)
    if instance is None or has_scaling_group(world):
        return []
    instance_id = instance["InstanceId"]
    if group is not None:
        states = target_states(world, group["TargetGroupArn"])
        if instance_id in states and states[instance_id] != "draining":
            return []
    return [Action(f"Register {instance_id} in {world.name}", lambda: register(world, instance_id))]


def create_target_group(world: World) -> None:
    chosen = world.settings
    world.elbv2.create_target_group(
        Name=world.name,
        Protocol="HTTP",
        Port=chosen.app_port,
        VpcId=world.vpc_id,
        TargetType="instance",
        HealthCheckProtocol="HTTP",
        HealthCheckPath=chosen.health_path,
        HealthCheckIntervalSeconds=chosen.health_check_interval,
        HealthCheckTimeoutSeconds=chosen.health_check_timeout,
        HealthyThresholdCount=chosen.healthy_threshold,
        UnhealthyThresholdCount=chosen.unhealthy_threshold,
        Matcher={"HttpCode": "200"},
        Tags=world.tag_list(world.name),
    )


def set_health_check(world: World) -> None:
    chosen = world.settings
    world.elbv2.modify_target_group(
        TargetGroupArn=need_target_group(world)["TargetGroupArn"],
        HealthCheckPath=chosen.health_path,
        HealthCheckIntervalSeconds=chosen.health_check_interval,
        HealthCheckTimeoutSeconds=chosen.health_check_timeout,
        HealthyThresholdCount=chosen.healthy_threshold,
        UnhealthyThresholdCount=chosen.unhealthy_threshold,
    )


def set_drain_time(world: World) -> None:
    world.elbv2.modify_target_group_attributes(
        TargetGroupArn=need_target_group(world)["TargetGroupArn"],
        Attributes=[{"Key": DELAY, "Value": str(world.settings.deregistration_delay)}],
    )


def register(world: World, instance_id: str) -> None:
    world.elbv2.register_targets(
        TargetGroupArn=need_target_group(world)["TargetGroupArn"], Targets=[{"Id": instance_id}]
    )
