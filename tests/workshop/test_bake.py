"""Baking: one image for a release and a base, no builder left whatever happens, and every image gone in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto.backends import get_backend
from tests.workshop.conftest import REGION, SMALL, passive_aws

from groundschool import endpoint
from groundschool.cli import bake as verb
from groundschool.cli.what_it_costs import snapshot_month
from groundschool.errors import BuildError, UsageError
from groundschool.workshop import bake as baking
from groundschool.workshop import build_order, golden_image
from groundschool.workshop.bake import bake, old_images, plan_use
from groundschool.workshop.build_order import BY_NAME
from groundschool.workshop.component import Action, perform
from groundschool.workshop.golden_image import GoldenImage, boot_image, golden_images, removal
from groundschool.workshop.install_script import current_release
from groundschool.workshop.instance import find_instances, image_id
from groundschool.workshop.release import Release
from groundschool.workshop.world import World, tag_map

UNPRICED = f"on AWS not priced (ground cost --refresh --region {REGION} asks for the price)"


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    """One build for all tests: each leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch, passive_aws(patch) as made:
        patch.setattr(endpoint, "fetch", lambda *_, **__: endpoint.Answer(200, {}, b"ok", 0.001))
        for component in build_order.COMPONENTS:
            build_order.create(made, component)
        yield


@pytest.fixture
def built(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield World.from_environment(SMALL)
    monkeypatch.undo()
    world = World.from_environment(SMALL)
    perform(removal(world))
    perform(BY_NAME["launch-template"].plan(world))


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the current release another one."""
    other = Release((("itsdangerous/__init__.py", b"# newer"),), "python3.11")

    def change() -> None:
        for module in ("golden_image", "install_script", "bake", "app"):
            monkeypatch.setattr(f"groundschool.workshop.{module}.current_release", lambda _: other)

    return change


def baked(world: World) -> GoldenImage:
    return bake(world, lambda *_: None)


def record_of(image: GoldenImage) -> Any:
    """moto's own record of an image."""
    return next(iter(get_backend("ec2").values()))[REGION].amis[image.image_id]


def builders(world: World) -> list[Any]:
    return find_instances(world, "Name", "visitor-board-builder")


def test_an_image_is_tagged_with_its_release_and_base_and_the_builder_is_gone(built: World) -> None:
    said: list[str] = []

    image = bake(built, lambda says, _: said.append(says))

    assert (image.release, image.base) == (current_release(built).digest, image_id(built))
    [described] = built.ec2.describe_images(Owners=["self"])["Images"]
    assert tag_map(described["Tags"])["Project"] == "ground-school"
    assert described["Name"] == f"visitor-board-{image.release}-{image.base}"
    assert builders(built) == []
    verbs = [each.split()[0] for each in said]
    assert verbs == ["Launch", "Install", "Stop", "Take", "Terminate"]


def test_baking_twice_makes_one_image_and_asks_for_no_change(changes: list[str], built: World) -> None:
    first = baked(built)
    changes.clear()

    assert baked(built) == first
    assert changes == []


def test_the_builder_is_stopped_before_its_image_is_taken_and_terminated_after(
    changes: list[str], built: World
) -> None:
    baked(built)

    wanted = ("RunInstances", "SendCommand", "StopInstances", "CreateImage", "TerminateInstances")
    assert [each for each in changes if each in wanted] == [wanted[0], *["SendCommand"] * 2, *wanted[2:]]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        pytest.param("run_script", BuildError("It is so"), id="the install script fails"),
        pytest.param("stop", KeyboardInterrupt(), id="interrupted while stopping"),
        pytest.param("take_image", BuildError("It is so"), id="the image is refused"),
        pytest.param("wait_available", KeyboardInterrupt(), id="interrupted while the image is taken"),
    ],
)
def test_whatever_ends_a_bake_early_no_builder_is_left_and_the_next_one_succeeds(
    built: World, step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_early(*_: object) -> None:
        assert len(builders(built)) == 1
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(baking, step, end_early)
        with pytest.raises(type(error)):
            baked(built)

    assert builders(built) == []
    assert baked(built).state == "available"
    assert len(golden_images(built)) == 1


def test_a_builder_that_cannot_be_ended_is_named_as_what_is_still_paid_for(
    built: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BuildError("The install script ended with Failed")

    monkeypatch.setattr(baking, "run_script", fail)
    monkeypatch.setattr(golden_image, "termination", lambda *_: fail())

    with pytest.raises(
        BuildError, match=r"ended with Failed\. And the builder could not be .* paid for .*aws ec2 desc"
    ):
        baked(built)


def test_a_builder_that_was_left_behind_is_ended_by_the_next_bake(built: World) -> None:
    built.ec2.run_instances(
        ImageId=image_id(built),
        MinCount=1,
        MaxCount=1,
        TagSpecifications=built.tag_specification("instance", "visitor-board-builder"),
    )

    baked(built)

    assert builders(built) == []


def test_an_image_that_is_being_taken_is_waited_for_and_not_taken_again(
    changes: list[str], built: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = baked(built)
    record_of(image).state = "pending"
    looks, real = [], baking.current_image

    def current(world: World, base: str) -> GoldenImage | None:
        looks.append(base)
        if len(looks) == 3:
            record_of(image).state = "available"
        return real(world, base)

    monkeypatch.setattr(baking, "current_image", current)
    changes.clear()

    assert baked(built).image_id == image.image_id
    assert changes == []


def test_a_failed_image_gives_way_to_a_new_one(built: World) -> None:
    failed = baked(built)
    record_of(failed).state = "failed"

    second = baked(built)

    assert [each.image_id for each in golden_images(built)] == [second.image_id] != [failed.image_id]


def test_baking_without_the_role_says_what_to_build(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BY_NAME["role"], "plan", lambda _: [Action("Create the role", lambda: None)])

    with pytest.raises(BuildError, match=r"Baking needs the IAM role first\. Build it: ground build role"):
        baked(built)


def test_the_template_boots_the_image_of_exactly_this_release_and_no_other(
    built: World, newer: Callable[[], None]
) -> None:
    base = image_id(built)
    assert boot_image(built) == base
    image = baked(built)
    assert boot_image(built) == image.image_id
    record_of(image).state = "pending"
    assert boot_image(built) == base
    record_of(image).state = "available"

    newer()

    assert boot_image(built) == base


def test_using_an_image_adds_a_template_version_and_replaces_the_instances_new_ones_first(
    built: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(built.autoscaling, "start_instance_refresh", lambda **given: started.append(given))
    monkeypatch.setattr(
        built.autoscaling, "describe_instance_refreshes", lambda **_: {"InstanceRefreshes": []}
    )  # moto has neither
    assert plan_use(built) == []
    image = baked(built)

    assert [each.says for each in perform(plan_use(built))] == [
        "Add a version to launch template visitor-board: ImageId",
        "Replace 2 instance(s) of visitor-board by an instance refresh, new ones first",
    ]

    assert baking.booted_image(built) == image.image_id
    [refresh] = started
    assert refresh["Preferences"] == {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "SkipMatching": True}
    assert build_order.plan(built, BY_NAME["launch-template"]) == []


def test_old_images_are_those_that_neither_a_bake_nor_the_template_would_boot(
    built: World, newer: Callable[[], None]
) -> None:
    first = baked(built)
    perform(BY_NAME["launch-template"].plan(built))
    newer()
    second = baked(built)

    assert old_images(built) == [], "the template still boots the first"
    perform(BY_NAME["launch-template"].plan(built))
    assert [each.image_id for each in old_images(built)] == [first.image_id] != [second.image_id]


def test_an_image_of_somebody_else_in_the_account_is_never_touched(built: World) -> None:
    [instance] = built.ec2.run_instances(ImageId=image_id(built), MinCount=1, MaxCount=1)["Instances"]
    theirs = built.ec2.create_image(InstanceId=instance["InstanceId"], Name="theirs")["ImageId"]

    perform(removal(built))

    assert [each["ImageId"] for each in built.ec2.describe_images(Owners=["self"])["Images"]] == [theirs]


@pytest.fixture
def ground(built: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))
    monkeypatch.setattr(verb, "enter", lambda _: World(built.session, built.settings))
    monkeypatch.setattr(verb.signal, "signal", lambda *_: None)
    return lambda *words: CliRunner().invoke(verb.command, words)


def test_the_command_tells_what_it_did_what_that_costs_and_what_comes_next(ground: Callable[..., Result]) -> None:
    done = ground()

    assert done.exit_code == 0, done.output
    assert "✓ Golden image ami-" in done.output
    assert f"8 GiB of snapshots, {UNPRICED}, until: ground bake --remove ami-" in done.output
    assert "Next: ground bake --use, which replaces the instances that run" in done.output
    assert "(was there)" in ground().output


def test_images_are_listed_and_deleted_old_ones_by_default_and_others_by_name(
    ground: Callable[..., Result], built: World, newer: Callable[[], None]
) -> None:
    first = baked(built)
    assert ground("--remove").output.startswith("There is no old image. Kept: ami-")
    newer()
    second = baked(built)
    assert f"{first.image_id}  available  release {first.release}" in ground("--list").output
    assert ground("--list").output.endswith(f"2 image(s), 16 GiB of snapshots, {UNPRICED}\n")

    assert ground("--remove").output.endswith(f"Kept: {second.image_id}, 8 GiB of snapshots, {UNPRICED}.\n")
    assert ground("--remove", second.image_id).output.endswith("No image is left.\n")
    assert isinstance(ground("--remove", "ami-0").exception, UsageError)


def test_snapshots_have_the_price_that_was_refreshed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))
    (tmp_path / "prices").mkdir()
    price = {"price": 0.25, "source": "API"}
    prices = {"region": "eu-west-1", "recorded": "2026-11-22", "baseline": {}, "snapshot_gb_month": price}
    (tmp_path / "prices/eu-west-1.json").write_text(json.dumps(prices))

    assert snapshot_month(8, "eu-west-1") == "8 GiB of snapshots, on AWS at most $2.00 a month"


def test_a_template_whose_image_is_deleted_boots_the_base_image_again(
    built: World, ground: Callable[..., Result]
) -> None:
    image = baked(built)
    perform(BY_NAME["launch-template"].plan(built))

    done = ground("--remove", image.image_id)

    assert "Add a version to launch template visitor-board: ImageId" in done.output
    assert baking.booted_image(built) == image_id(built)


def test_removing_the_launch_template_leaves_no_image_no_snapshot_and_no_builder(built: World) -> None:
    image = baked(built)
    built.ec2.run_instances(
        ImageId=image_id(built),
        MinCount=1,
        MaxCount=1,
        TagSpecifications=built.tag_specification("instance", "visitor-board-builder"),
    )
    volume = built.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"]
    tags = built.tag_specification("snapshot", "visitor-board")
    stray = built.ec2.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
    left = build_order.leftovers(built)
    assert f"golden image {image.image_id} (release {image.release}) and its snapshot" in left
    assert f"snapshot {stray}" in left

    build_order.remove(built, BY_NAME["launch-template"])

    assert removal(built) == golden_images(built) == []
    snapshots = built.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert not {stray, *image.snapshots} & {each["SnapshotId"] for each in snapshots}


def test_on_aws_nothing_is_launched_or_deleted_without_consent(
    ground: Callable[..., Result], changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(ground("--on", "aws").exception, UsageError), "nobody is there to ask"
    assert isinstance(ground("--on", "aws", "--remove").exception, UsageError)
    assert changes == []
    assert ground("--on", "aws", "--yes").output.endswith("instances that run by ones of this image\n")
