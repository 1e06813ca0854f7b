"""What carries the workshop's tag, whoever made it: asked from the Resource Groups Tagging API, and then from the
service itself, because the tagging API goes on naming what is gone.

Auto Scaling groups are asked for by their own tag filter. AWS: of Auto Scaling, GetResources "return[s] an empty
response" (Services that support the Resource Groups Tagging API).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from groundschool.workshop.auto_scaling_group import delete_scaling_group, scaling_group
from groundschool.workshop.component import Action
from groundschool.workshop.golden_image import as_golden_image, delete_image
from groundschool.workshop.instance import ENDED, by_hand_name, terminate
from groundschool.workshop.load_balancer import balancer_group_name
from groundschool.workshop.security_group import Group, delete_group, instance_group_name
from groundschool.workshop.world import STACK, World, tag_map

Look = Callable[[World, str], object]


@dataclass(frozen=True)
class Kind:
    """How a kind of resource is looked for and removed, both by the id in its ARN (``by_arn``: the whole ARN)."""

    exists: Look
    remove: Look | None = None
    by_arn: bool = False


@dataclass(frozen=True)
class Remainder:
    """Something with our tag that is really there."""

    arn: str
    tags: dict[str, str]
    kind: str
    """Service and type as in the ARN, like ``ec2:instance``."""

    @property
    def says(self) -> str:
        """What it is, and whose, when it is not for us to remove."""
        owner = f", of the CloudFormation stack {self.tags[STACK]}" if STACK in self.tags else ""
        name = f" ({self.tags['Name']})" if self.tags.get("Name") else ""
        return f"{self.kind} {identifier(self.arn)}{name}{owner}"


def delete_with_snapshots(world: World, image_id: str) -> None:
    for image in world.ec2.describe_images(ImageIds=[image_id])["Images"]:
        delete_image(world, as_golden_image(image))


KINDS: dict[str, Kind] = {
    "autoscaling:autoScalingGroup": Kind(  # before its instances, which it would replace
        lambda world, name: scaling_group(world, name),
        lambda world, name: delete_scaling_group(world, name),
    ),
    "ec2:instance": Kind(
        lambda world, name: any(
            instance["State"]["Name"] not in ENDED
            for every in world.ec2.describe_instances(InstanceIds=[name])["Reservations"]
            for instance in every["Instances"]
        ),
        lambda world, name: terminate(world, name),
    ),
    "elasticloadbalancing:loadbalancer": Kind(
        lambda world, arn: world.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"],
        lambda world, arn: world.elbv2.delete_load_balancer(LoadBalancerArn=arn),
        by_arn=True,
    ),
    "elasticloadbalancing:listener": Kind(
        lambda world, arn: world.elbv2.describe_listeners(ListenerArns=[arn])["Listeners"], by_arn=True
    ),
    "elasticloadbalancing:targetgroup": Kind(
        lambda world, arn: world.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"],
        lambda world, arn: world.elbv2.delete_target_group(TargetGroupArn=arn),
        by_arn=True,
    ),
    "ec2:launch-template": Kind(
        lambda world, name: world.ec2.describe_launch_templates(LaunchTemplateIds=[name])["LaunchTemplates"],
        lambda world, name: world.ec2.delete_launch_template(LaunchTemplateId=name),
    ),
    "ec2:image": Kind(
        lambda world, name: world.ec2.describe_images(ImageIds=[name])["Images"],
        lambda world, name: delete_with_snapshots(world, name),
    ),
    "ec2:snapshot": Kind(
        lambda world, name: world.ec2.describe_snapshots(SnapshotIds=[name])["Snapshots"],
        lambda world, name: world.ec2.delete_snapshot(SnapshotId=name),
    ),
    "ec2:volume": Kind(
        lambda world, name: any(
            volume["State"] not in ("deleting", "deleted")
            for volume in world.ec2.describe_volumes(VolumeIds=[name])["Volumes"]
        ),
        lambda world, name: world.ec2.delete_volume(VolumeId=name),
    ),
    "ec2:security-group": Kind(
        lambda world, name: world.ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"],
        lambda world, name: delete_group(world, Group(name, name, {}, ())),
    ),
    "dynamodb:table": Kind(
        lambda world, name: world.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] != "DELETING"
    ),
    "s3:": Kind(lambda world, name: world.s3.head_bucket(Bucket=name)),
}
"""In the order in which they can go. What has no removal here is a component's, or nobody's that we know."""

MACHINES = ("autoscaling:autoScalingGroup", "ec2:instance")


def tagged(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """ARN and tags of what carries the workshop's tag in this region, and of some that did until lately.

    AWS: GetResources returns tagged *or previously tagged* resources; a terminated instance stays for hours. IAM is
    not in it.
    """
    pages = world.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "Project", "Values": [world.settings.project]}]
    )
    for page in pages:
        for each in page["ResourceTagMappingList"]:
            yield each["ResourceARN"], tag_map(each.get("Tags", []))


def tagged_scaling_groups(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """ARN and tags, as :func:`tagged`."""
    pages = world.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        Filters=[{"Name": "tag:Project", "Values": [world.settings.project]}]
    )
    for page in pages:
        for each in page["AutoScalingGroups"]:
            yield each["AutoScalingGroupARN"], tag_map(each.get("Tags", []))


def remains(world: World) -> list[Remainder]:
    """What has our tag and is really there, in the order in which it can go. An unknown kind counts as there."""
    found = [Remainder(arn, tags, kind_of(arn)) for arn, tags in (*tagged_scaling_groups(world), *tagged(world))]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted((each for each in found if is_there(world, each)), key=lambda each: order.get(each.kind, len(order)))


def strays(world: World) -> list[Remainder]:
    """The remains that no component has made: a trial instance, a baked image."""
    ours = {
        world.name,
        by_hand_name(world),
        instance_group_name(world),
        balancer_group_name(world),
        world.settings.table_name,
        world.release_bucket,
        world.iam_name,
    }
    return [each for each in remains(world) if each.tags.get("Name") not in ours]


def clearance(world: World) -> list[Action]:
    """The removal of what remains, where there is one."""
    return removal(world, remains(world))


def machine_clearance(world: World) -> list[Action]:
    """The removal of the machines that no component has made: a component's security group cannot go while they use
    it."""
    return removal(world, [each for each in strays(world) if each.kind in MACHINES])


def removal(world: World, remainders: Iterable[Remainder]) -> list[Action]:
    """Nothing of a CloudFormation stack, which would make it anew."""
    return [
        Action(f"Delete {each.says}", lambda each=each: clear(world, each))  # type: ignore[misc]
        for each in remainders
        if STACK not in each.tags and each.kind in KINDS and KINDS[each.kind].remove
    ]


def clear(world: World, remainder: Remainder) -> None:
    """Removing a thing may have taken a later one with it, as an instance its volume: that is looked at first."""
    kind = KINDS[remainder.kind]
    if kind.remove is not None and is_there(world, remainder):
        kind.remove(world, remainder.arn if kind.by_arn else identifier(remainder.arn))


def is_there(world: World, remainder: Remainder) -> bool:
    kind = KINDS.get(remainder.kind)
    if kind is None:
        return True
    try:
        return bool(kind.exists(world, remainder.arn if kind.by_arn else identifier(remainder.arn)))
    except ClientError as error:
        if is_gone(error):
            return False
        raise


def is_gone(error: ClientError) -> bool:
    """AWS's services say it each in their own way: InvalidGroup.NotFound, TargetGroupNotFound, a bare 404, ..."""
    code = error.response["Error"].get("Code", "")
    return "NotFound" in code or code in ("404", "InvalidAMIID.Unavailable")


def kind_of(arn: str) -> str:
    """Pure: ``arn:aws:ec2:eu-north-1:1:instance/i-1`` is ``ec2:instance``; a bucket's ARN has no type."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    separators = [resource.index(mark) for mark in "/:" if mark in resource]
    return f"{service}:{resource[: min(separators)] if separators else ''}"


def identifier(arn: str) -> str:
    """Pure: what comes after the type."""
    return arn.split(":", 5)[5].rpartition("/")[2]
