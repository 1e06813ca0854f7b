"""``ground bake``: a golden image of the current release, its use, and its end."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape

from groundschool.cli.confirm import confirm, yes_option
from groundschool.cli.what_it_costs import instance_hour, snapshot_month
from groundschool.cli.world import AWS, enter, flag, on_option
from groundschool.errors import UsageError
from groundschool.workshop.bake import bake, booted_image, old_images, plan_use, refreshing
from groundschool.workshop.build_order import asked
from groundschool.workshop.component import Action
from groundschool.workshop.expiry import expiring
from groundschool.workshop.golden_image import GoldenImage, golden_images, removal_of_images
from groundschool.workshop.launch_template import LaunchTemplate, find_template
from groundschool.workshop.world import World


@click.command("bake")
@click.option("--use", is_flag=True, help="Then boot it: a new launch template version, and an instance refresh.")
@click.option("--list", "show", is_flag=True, help="Only list the images there are, with what they cost.")
@click.option("--remove", is_flag=True, help="Only delete images and their snapshots: the old ones, or those named.")
@click.argument("images", nargs=-1, metavar="[IMAGE]...")
@on_option
@yes_option
def command(use: bool, show: bool, remove: bool, images: tuple[str, ...], on: str, yes: bool) -> None:
    """Make a golden image: the newest Amazon Linux with the current release already installed.

    An instance is launched for it and terminated again. An image of the same release and the same base is not made
    twice. ground build and instances launched from then on take it up; --use replaces those that run. On AWS it asks
    first.
    """
    if use + show + remove > 1:
        raise click.UsageError("Choose one of --use, --list and --remove.")
    if images and not remove:
        raise click.UsageError("Images are named only to delete them: ground bake --remove ami-...")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end, it ends the builder first
    world, console = enter(on), Console(highlight=False, soft_wrap=True)
    if on == AWS:
        world = asked(lambda: expiring(world, None, datetime.now(UTC)))
    if show:
        asked(lambda: list_images(console, world), "The images could not be listed")
    elif remove:
        if on == AWS:
            confirm(f"Delete {', '.join(images) or 'the old images'} in {world.region}?", yes=yes)
        asked(lambda: remove_images(console, world, images), "The images could not be deleted")
    else:
        if on == AWS:
            console.print(f"A {world.settings.instance_type} works for it for some minutes: {instance_hour(world)}.")
            confirm(f"Bake {'and use ' * use}an image in account {world.account}, {world.region}?", yes=yes)
        asked(lambda: bake_image(console, world), "The image could not be baked")
        following = put_to_use if use else next_step
        asked(lambda: following(console, world, flag(on)), "The image could not be put to use")


def bake_image(console: Console, world: World) -> None:
    """Prints as it goes, then what it costs."""
    done: list[str] = []

    def report(says: str, seconds: float) -> None:
        done.append(says)
        console.print(f"[green]✓[/] {escape(says)} [dim]({seconds:.1f} s)[/]")

    console.print(f"[dim]•[/] Baking, unless it is baked: a {world.settings.instance_type} works for it, and is ended")
    image = bake(world, report)
    there = "" if done else " [dim](was there)[/]"
    console.print(f"[green]✓[/] Golden image [bold]{image.image_id}[/]: release {image.release} on {image.base}{there}")
    console.print(f"  {price(world, [image])}, until: ground bake --remove {image.image_id}")
    if old := old_images(world):
        console.print(
            f"  Older: {', '.join(each.image_id for each in old)}, {price(world, old)}, until: ground bake --remove"
        )


def put_to_use(console: Console, world: World, where: str) -> None:
    perform_aloud(console, plan_use(world))
    next_step(console, world, where)


def next_step(console: Console, world: World, where: str) -> None:
    """``where``: what the next command needs to mean the same world."""
    if find_template(world) is None:
        console.print(f"Next: ground build{where}, whose launch template boots it")
    elif plan_use(world):
        console.print(f"Next: ground bake --use{where}, which replaces the instances that run by ones of this image")
    elif refreshing(world):
        console.print(f"The instances are being replaced. Next: ground watch{where}")
    else:
        console.print("The launch template boots it, and all instances that run are of its newest version.")


def list_images(console: Console, world: World) -> None:
    images, old = golden_images(world), {each.image_id for each in old_images(world)}
    for each in images:
        kept = "old" if each.image_id in old else "in use or current"
        console.print(
            f"{each.image_id}  {each.state}  release {each.release}  base {each.base}  {each.created}  {kept}",
        )
    console.print(
        f"{len(images)} image(s), {price(world, images)}" if images else "There is no image. Make one: ground bake"
    )


def remove_images(console: Console, world: World, names: Sequence[str]) -> None:
    """The old ones unless some are named. A launch template that boots what goes is put back on the base image."""
    there = {each.image_id: each for each in golden_images(world)}
    if unknown := [name for name in names if name not in there]:
        raise UsageError(f"{unknown[0]} is no image of this workshop. There are: {', '.join(there) or 'none'}")
    going = [there[name] for name in names] if names else old_images(world)
    booted = booted_image(world)
    perform_aloud(console, removal_of_images(world, going))
    if booted in {each.image_id for each in going}:
        perform_aloud(console, LaunchTemplate().plan(world))
    left = golden_images(world)
    kept = f"Kept: {', '.join(each.image_id for each in left)}, {price(world, left)}." if left else "No image is left."
    console.print(kept if going else f"There is no old image. {kept}")


def perform_aloud(console: Console, actions: Sequence[Action]) -> None:
    for action in actions:
        started = time.monotonic()
        action.run()
        console.print(f"[green]✓[/] {escape(action.says)} [dim]({time.monotonic() - started:.1f} s)[/]")


def price(world: World, images: Sequence[GoldenImage]) -> str:
    return snapshot_month(sum(each.gib for each in images), world.region)
