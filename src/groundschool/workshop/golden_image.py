"""The golden image: an AMI with the release already installed, and what is kept, and paid for, of older ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundschool.workshop.component import Action
from groundschool.workshop.install_script import current_release
from groundschool.workshop.instance import find_instances, image_id, termination
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, ImageTypeDef

RELEASE_TAG, BASE_TAG = "Release", "BaseImage"
"""What an image is of: the release's digest, and the image it was baked upon."""


@dataclass(frozen=True)
class GoldenImage:
    """One image of the workshop; ``created`` is AWS's ISO 8601 text, ``gib`` the size of its volumes."""

    image_id: str
    state: str
    release: str
    base: str
    created: str
    snapshots: tuple[str, ...]
    gib: int


def golden_images(world: World, *wanted: FilterTypeDef) -> list[GoldenImage]:
    """All images with the workshop's tag, the newest first."""
    mine: FilterTypeDef = {"Name": "tag:Project", "Values": [world.settings.project]}
    found = world.ec2.describe_images(Owners=["self"], Filters=[mine, *wanted])["Images"]
    return sorted((as_golden_image(each) for each in found), key=lambda image: image.created, reverse=True)


def as_golden_image(image: ImageTypeDef) -> GoldenImage:
    tags = tag_map(image.get("Tags", []))
    volumes = [each["Ebs"] for each in image.get("BlockDeviceMappings", []) if "Ebs" in each]
    return GoldenImage(
        image["ImageId"],
        str(image["State"]),
        tags.get(RELEASE_TAG, ""),
        tags.get(BASE_TAG, ""),
        str(image.get("CreationDate", "")),
        tuple(each["SnapshotId"] for each in volumes if "SnapshotId" in each),
        sum(each.get("VolumeSize", 0) for each in volumes),
    )


def current_image(world: World, base: str) -> GoldenImage | None:
    """The image of exactly the current release on ``base``, whatever its state."""
    found = golden_images(
        world,
        {"Name": f"tag:{RELEASE_TAG}", "Values": [current_release(world).digest]},
        {"Name": f"tag:{BASE_TAG}", "Values": [base]},
    )
    return found[0] if found else None


def boot_image(world: World) -> str:
    """What the group's instances boot: the golden image of the current release when there is one, else the base image.

    So a bake is taken up by the next template version, and a new release or a new base image goes back to the base
    until it is baked again: an image of something else is never booted.
    """
    base = image_id(world)
    golden = current_image(world, base)
    return golden.image_id if golden is not None and golden.state == "available" else base


def builder_name(world: World) -> str:
    return f"{world.name}-builder"


def removal_of_builders(world: World) -> list[Action]:
    """Of instances an interrupted bake left behind."""
    found = find_instances(world, "Name", builder_name(world))
    for each in found:
        world.must_own(f"EC2 instance {each['InstanceId']}", tag_map(each.get("Tags", [])))
    return [termination(world, each["InstanceId"]) for each in found]


def removal_of_images(world: World, images: list[GoldenImage]) -> list[Action]:
    return [
        Action(
            f"Delete golden image {each.image_id} (release {each.release}) and its snapshot",
            lambda each=each: delete_image(world, each),  # type: ignore[misc]  # bound now, not after the loop
        )
        for each in images
    ]


def delete_image(world: World, image: GoldenImage) -> None:
    """The image first: its snapshots are in use while it is registered, and are not deleted with it."""
    world.ec2.deregister_image(ImageId=image.image_id)
    for snapshot in image.snapshots:
        world.ec2.delete_snapshot(SnapshotId=snapshot)


def stray_snapshots(world: World, images: list[GoldenImage]) -> list[str]:
    """Tagged snapshots of no image: what an interrupted removal left, still paid for."""
    mine: FilterTypeDef = {"Name": "tag:Project", "Values": [world.settings.project]}
    pages = world.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=[mine])
    used = {snapshot for image in images for snapshot in image.snapshots}
    return sorted({each["SnapshotId"] for page in pages for each in page["Snapshots"]} - used)


def removal(world: World) -> list[Action]:
    """Of everything a bake makes and may leave: builders, images, snapshots."""
    images = golden_images(world)
    return [
        *removal_of_builders(world),
        *removal_of_images(world, images),
        *(
            Action(f"Delete snapshot {each}", lambda each=each: world.ec2.delete_snapshot(SnapshotId=each))  # type: ignore[misc]
            for each in stray_snapshots(world, images)
        ),
    ]
