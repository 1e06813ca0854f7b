"""Baking: an instance with the release installed becomes an image, and is gone again.

Everything that is made is found again by its tags, so an interrupted bake is either gone on with (an image that is
being taken) or cleared away (a builder), by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from groundschool.errors import BuildError, GroundError
from groundschool.workshop import build_order
from groundschool.workshop.app import run_script
from groundschool.workshop.auto_scaling_group import find_scaling_group
from groundschool.workshop.component import Action
from groundschool.workshop.golden_image import (
    BASE_TAG,
    RELEASE_TAG,
    GoldenImage,
    builder_name,
    current_image,
    delete_image,
    golden_images,
    removal_of_builders,
)
from groundschool.workshop.install_script import current_release, render
from groundschool.workshop.instance import image_id, run_instance
from groundschool.workshop.launch_template import LaunchTemplate, default_data, find_template
from groundschool.workshop.release import Release
from groundschool.workshop.release_bucket import plan_publication
from groundschool.workshop.world import World

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import TagSpecificationTypeDef

Report = Callable[[str, float], None]
"""What was done, and the real seconds it took."""

PREPARE = """set -eu
[ -n "${INSTANCE_ROOT:-}" ] || : >/etc/machine-id
sync
"""
"""Run on the builder last. An empty machine-id makes every instance of the image find its own: machine-id(5)."""

AGAIN = "The builder is not kept. To look at it happen: ground build --session 1. To try again: ground bake"

NEEDED = ("security-group", "role")
"""Components without which no instance can fetch its release."""

REFRESH = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "SkipMatching": True}
"""AWS: EC2 Auto Scaling user guide, instance maintenance policy, launch before terminating. Nobody misses an instance,
and one more than desired is paid for meanwhile."""


def bake(world: World, report: Report) -> GoldenImage:
    """The golden image of the current release on the current base image; made unless it is there. BuildError if not.

    However it ends, no builder is left: the error says so, or says what is.
    """
    need_built(world)
    release, base = current_release(world), image_id(world)
    found = current_image(world, base)
    for action in [*plan_publication(world, release), *removal_of_builders(world)]:
        timed(action.says, report, action.run)
    if found is not None and found.state == "pending":
        timed(f"Wait for {found.image_id}, which is being taken", report, lambda: wait_available(world, base))
    if found is not None and found.state in ("pending", "available"):
        return wait_available(world, base)
    if found is not None:
        delete_image(world, found)  # it failed, and holds the name
    with builder(world, base, report) as instance_id:
        script = render(world, release)
        timed(
            f"Install release {release.digest}",
            report,
            lambda: run_script(world, instance_id, "install script", script, AGAIN),
        )
        run_script(world, instance_id, "preparation for the image", PREPARE, AGAIN)
        timed(f"Stop {instance_id}, so that its disk is at rest", report, lambda: stop(world, instance_id))
        timed("Take the image", report, lambda: take_image(world, instance_id, release, base))
    return wait_available(world, base)


def need_built(world: World) -> None:
    for name in NEEDED:
        if build_order.plan(world, build_order.BY_NAME[name]):
            raise BuildError(f"Baking needs the {build_order.BY_NAME[name].title} first. Build it: ground build {name}")


def timed(says: str, report: Report, work: Callable[[], object]) -> None:
    started = time.monotonic()
    work()
    report(says, time.monotonic() - started)


@contextmanager
def builder(world: World, base: str, report: Report) -> Iterator[str]:
    """An instance that is terminated in the end, whatever happens, an interruption included."""
    name = builder_name(world)
    try:
        started = time.monotonic()
        instance_id = run_instance(world, base, name)
        world.wait(f"{instance_id} to run", lambda: state(world, instance_id) == "running")
        report(f"Launch {instance_id} ({world.settings.instance_type}) from {base}", time.monotonic() - started)
        yield instance_id
    except BaseException as error:
        end_builders(world, report, because_of=error)
        raise
    end_builders(world, report)


def end_builders(world: World, report: Report, because_of: BaseException | None = None) -> None:
    """Found by their name, since an interrupted launch has no id to tell. BuildError when one may still be there."""
    try:
        for action in removal_of_builders(world):
            timed(action.says, report, action.run)
    except (ClientError, BotoCoreError, GroundError) as error:
        first = f"{because_of}. And the" if because_of else "The"
        raise BuildError(
            f"{first} builder could not be terminated ({error}): it is paid for as long as it runs. The next ground "
            f"bake, or ground build --remove, ends it. See it: aws ec2 describe-instances --filters "
            f"Name=tag:Name,Values={builder_name(world)}"
        ) from because_of


def state(world: World, instance_id: str) -> str | None:
    """None while EC2 does not list it yet. BuildError once it is on its way out."""
    found = world.ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])["Reservations"]
    if not found:
        return None
    seen = found[0]["Instances"][0]
    if seen["State"]["Name"] in ("shutting-down", "terminated"):
        why = seen.get("StateReason", {}).get("Message", "no reason given")
        raise BuildError(f"The builder {instance_id} ended by itself: {why}")
    return seen["State"]["Name"]


def stop(world: World, instance_id: str) -> None:
    world.ec2.stop_instances(InstanceIds=[instance_id])
    world.wait(f"{instance_id} to be stopped", lambda: state(world, instance_id) == "stopped")


def take_image(world: World, instance_id: str, release: Release, base: str) -> None:
    tags = {**world.tags(world.name), RELEASE_TAG: release.digest, BASE_TAG: base}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    specification: list[TagSpecificationTypeDef] = [
        {"ResourceType": "image", "Tags": listed},  # type: ignore[typeddict-item]
        {"ResourceType": "snapshot", "Tags": listed},  # type: ignore[typeddict-item]
    ]
    world.ec2.create_image(
        InstanceId=instance_id,
        Name=f"{world.name}-{release.digest}-{base}",
        Description=f"Visitor Board release {release.digest} on {base}",
        TagSpecifications=specification,
    )
    wait_available(world, base)


def wait_available(world: World, base: str) -> GoldenImage:
    def taken() -> GoldenImage | None:
        image = current_image(world, base)
        if image is not None and image.state == "failed":
            raise BuildError(f"The image {image.image_id} could not be made. Try again: ground bake")
        return image if image is not None and image.state == "available" else None

    return world.wait("the image to be available (ground bake goes on waiting)", taken)


def plan_use(world: World) -> list[Action]:
    """What makes a group that exists boot the current image: a template version, and the end of older instances."""
    if find_template(world) is None:
        return []
    template = LaunchTemplate().plan(world)
    group = find_scaling_group(world)
    if group is None or not group["Instances"]:
        return template
    newest = str((find_template(world) or {}).get("DefaultVersionNumber"))
    old = [each for each in group["Instances"] if each.get("LaunchTemplate", {}).get("Version") != newest]
    if not template and (not old or refreshing(world)):
        return []
    count = len(group["Instances"]) if template else len(old)
    what = f"Replace {count} instance(s) of {world.name} by an instance refresh, new ones first"
    return [*template, Action(what, lambda: refresh(world))]


def refreshing(world: World) -> bool:
    """Whether the group's instances are being replaced just now."""
    if find_scaling_group(world) is None:
        return False
    found = world.autoscaling.describe_instance_refreshes(AutoScalingGroupName=world.name)["InstanceRefreshes"]
    return any(each["Status"] in ("Pending", "InProgress", "Cancelling") for each in found)


def refresh(world: World) -> None:
    try:
        world.autoscaling.start_instance_refresh(
            AutoScalingGroupName=world.name,
            Preferences=REFRESH,  # type: ignore[arg-type]
        )
    except world.autoscaling.exceptions.InstanceRefreshInProgressFault:
        raise BuildError(
            f"{world.name} is being refreshed already. Wait until it is done (aws autoscaling "
            f"describe-instance-refreshes --auto-scaling-group-name {world.name}), then: ground bake --use"
        ) from None


def booted_image(world: World) -> str | None:
    """What the launch template boots, None without one."""
    return default_data(world).get("ImageId") if find_template(world) is not None else None


def old_images(world: World) -> list[GoldenImage]:
    """Of other releases or bases than the current, and not what the launch template boots."""
    current = current_image(world, image_id(world))
    kept = {current.image_id if current else None, booted_image(world)}
    return [each for each in golden_images(world) if each.image_id not in kept]
