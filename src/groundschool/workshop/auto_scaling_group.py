"""Component 10: as many instances as needed, replaced when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool.errors import BuildError
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.instance import find_instance, find_instances, wait_terminated
from groundschool.workshop.target_group import LEAVING, find_target_group, need_target_group, target_states
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef


def find_scaling_group(world: World) -> AutoScalingGroupTypeDef | None:
    """The workshop's group. While it is being deleted, ``Status`` says so."""
    return scaling_group(world, world.name)


def scaling_group(world: World, name: str) -> AutoScalingGroupTypeDef | None:
    found = world.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return found[0] if found else None


def in_service(group: AutoScalingGroupTypeDef) -> set[str]:
    """Ids of the instances that Auto Scaling counts as serving."""
    return {
        each["InstanceId"]
        for each in group["Instances"]
        if each["LifecycleState"] == "InService" and each["HealthStatus"] == "Healthy"
    }


def serving(world: World) -> set[str]:
    """Ids of the instances that are in service and healthy in the target group too."""
    group, targets = find_scaling_group(world), find_target_group(world)
    if group is None or targets is None:
        return set()
    states = target_states(world, targets["TargetGroupArn"])
    return {each for each in in_service(group) if states.get(each) == "healthy"}


def different(world: World, group: AutoScalingGroupTypeDef) -> list[str]:
    """Which settings are not the designed ones. Desired capacity is not among them: it is the policy's."""
    chosen = world.settings
    seen = {
        "minimum": (group["MinSize"], chosen.minimum_size),
        "maximum": (group["MaxSize"], chosen.maximum_size),
        "health check": (group["HealthCheckType"], "ELB"),
        "grace period": (group.get("HealthCheckGracePeriod"), chosen.grace_period),
        "subnets": (set(group.get("VPCZoneIdentifier", "").split(",")), set(world.subnet_ids)),
    }
    return [name for name, (is_now, wanted) in seen.items() if is_now != wanted]


class AutoScalingGroup(Component):
    """The Auto Scaling group behind the load balancer. When its instances serve, the one of session 1 leaves the target
    group: it keeps running, and nobody depends on it any more."""

    number = 10
    session = 2
    name = "auto-scaling-group"
    title = "Auto Scaling group"
    why = (
        "The number of instances is a setting and a failed one is replaced unasked, because none of them holds "
        "state; the price is a boot's worth of waiting for each new one, and that logs and debugging must leave "
        "the machine too."
    )
    depends_on = ("target-group", "listener", "launch-template")

    def plan(self, world: World) -> list[Action]:
        group, chosen = find_scaling_group(world), world.settings
        actions = []
        if group is None:
            what = (
                f"Create Auto Scaling group {world.name} (min {chosen.minimum_size}, desired "
                f"{chosen.desired_capacity}, max {chosen.maximum_size}, {chosen.availability_zones} zones, "
                f"ELB health checks)"
            )
            actions.append(Action(what, lambda: create_scaling_group(world)))
        elif changes := different(world, group):
            actions.append(Action(f"Change {world.name}: {', '.join(changes)}", lambda: update_scaling_group(world)))
        if group is not None and not attached(world, group):
            actions.append(Action(f"Attach {world.name} to the target group", lambda: attach(world)))
        return actions + plan_retirement(world)

    def wait(self, world: World) -> None:
        wait_serving(world)

    def inspect(self, world: World) -> Check:
        group, chosen = find_scaling_group(world), world.settings
        if group is None:
            return absent(
                f"no Auto Scaling group {world.name} in {world.region}",
                "Who starts a new instance when one dies at night?",
            )
        if len(group["AvailabilityZones"]) < 2:
            return wrong(f"{world.name} is in one zone", "How many instances are left when that zone fails?")
        if not attached(world, group):
            return wrong(f"{world.name} is not attached to the target group", "How do new instances get visitors?")
        if group["HealthCheckType"] != "ELB":
            return wrong(
                f"{world.name} asks only EC2 for health", "Who notices an app that hangs on a machine that runs?"
            )
        if group["MaxSize"] < chosen.maximum_size:
            return wrong(
                f"{world.name} may grow to {group['MaxSize']} instances",
                f"How many visitors is that? The design says {chosen.maximum_size}.",
            )
        ready, desired = len(serving(world)), group["DesiredCapacity"]
        if ready < max(group["MinSize"], 1):
            return wrong(
                f"{ready} of {desired} instances serve",
                "What do the scaling activities and the console output of an instance say?",
            )
        zones = " and ".join(sorted(group["AvailabilityZones"]))
        return right(
            f"{ready} of {desired} instances serve (min {group['MinSize']}, max {group['MaxSize']}) in {zones}"
        )

    def removal(self, world: World) -> list[Action]:
        group = find_scaling_group(world)
        if group is None:
            return []
        world.must_own(f"Auto Scaling group {world.name}", tag_map(group.get("Tags", [])))
        what = f"Delete Auto Scaling group {world.name} (instances: {len(group['Instances'])})"
        return [Action(what, lambda: delete_scaling_group(world, world.name))]


def attached(world: World, group: AutoScalingGroupTypeDef) -> bool:
    targets = find_target_group(world)
    return targets is None or targets["TargetGroupArn"] in group.get("TargetGroupARNs", [])


def attach(world: World) -> None:
    arn = need_target_group(world)["TargetGroupArn"]
    world.autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName=world.name, TargetGroupARNs=[arn])


def create_scaling_group(world: World) -> None:
    chosen = world.settings
    world.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=world.name,
        LaunchTemplate={"LaunchTemplateName": world.name, "Version": "$Default"},
        MinSize=chosen.minimum_size,
        DesiredCapacity=chosen.desired_capacity,
        MaxSize=chosen.maximum_size,
        VPCZoneIdentifier=",".join(world.subnet_ids),
        TargetGroupARNs=[need_target_group(world)["TargetGroupArn"]],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=chosen.grace_period,
        DefaultInstanceWarmup=chosen.warm_up,
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in world.tags(world.name).items()],
    )


def update_scaling_group(world: World) -> None:
    chosen = world.settings
    world.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=world.name,
        MinSize=chosen.minimum_size,
        MaxSize=chosen.maximum_size,
        VPCZoneIdentifier=",".join(world.subnet_ids),
        HealthCheckType="ELB",
        HealthCheckGracePeriod=chosen.grace_period,
    )


def wait_serving(world: World) -> None:
    """Until as many instances serve as are desired; the time-out tells Auto Scaling's own last words."""

    def enough() -> bool:
        group = find_scaling_group(world)
        return group is not None and len(serving(world)) >= max(group["DesiredCapacity"], 1)

    try:
        world.wait(f"the instances of {world.name} to be in service and healthy", enough)
    except BuildError as error:
        raise BuildError(f"{error}. Last activity: {last_activity(world)}") from None


def last_activity(world: World) -> str:
    found = world.autoscaling.describe_scaling_activities(AutoScalingGroupName=world.name, MaxRecords=1)["Activities"]
    return (
        f"{found[0].get('Description', '')} ({found[0].get('StatusMessage') or found[0]['StatusCode']})"
        if found
        else "none"
    )


def plan_retirement(world: World) -> list[Action]:
    """The instance of session 1 leaves the target group, while the group's own serve."""
    instance, targets = find_instance(world), find_target_group(world)
    if instance is None or targets is None:
        return []
    instance_id = instance["InstanceId"]
    states = target_states(world, targets["TargetGroupArn"])
    if instance_id not in states or states[instance_id] in LEAVING:
        return []
    return [Action(f"Take {instance_id} out of {world.name} once the group serves", lambda: retire(world, instance_id))]


def retire(world: World, instance_id: str) -> None:
    wait_serving(world)
    arn = need_target_group(world)["TargetGroupArn"]
    world.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance_id}])


def delete_scaling_group(world: World, name: str) -> None:
    """With its instances: nothing is drained, because nobody is to be served any more."""
    instances = [each["InstanceId"] for each in find_instances(world, "aws:autoscaling:groupName", name)]
    world.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    world.wait(f"Auto Scaling group {name} to be gone", lambda: scaling_group(world, name) is None)
    wait_terminated(world, instances)
