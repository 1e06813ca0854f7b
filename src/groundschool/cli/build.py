"""``ground build``: makes the workshop's system, component by component."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape

from groundschool.cli.confirm import confirm, yes_option
from groundschool.cli.shown_actions import show_actions, show_plan, taken
from groundschool.cli.take_down import take_down
from groundschool.cli.what_it_costs import price_lines
from groundschool.cli.world import AWS, LAB, enter, flag, on_option
from groundschool.errors import BuildError, GroundError, Interrupted, UsageError
from groundschool.workshop import build_order
from groundschool.workshop.component import Component
from groundschool.workshop.expiry import DEFAULT_HOURS, expiring, recorded, reminder, renew
from groundschool.workshop.public_address import public_url
from groundschool.workshop.world import World


@click.command("build")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--session", type=click.IntRange(1, 2), help="Only the components of this session.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--remove", is_flag=True, help="Take down instead, in reverse order.")
@on_option
@click.option(
    "--ttl",
    type=click.FloatRange(min=0, min_open=True),
    metavar="HOURS",
    help=f"On AWS: when to end it, as a tag and a reminder. Nothing ends by itself. Default {DEFAULT_HOURS:g}.",
)
@yes_option
def command(
    components: tuple[str, ...], session: int | None, dry_run: bool, remove: bool, on: str, ttl: float | None, yes: bool
) -> None:
    """Build the workshop's system through the AWS API.

    Without arguments: all eleven components in build order. What exists already is left alone, so the command can be
    repeated after an error. --remove takes down only what carries the workshop's tag. On AWS it says what it costs, and
    asks first.
    """
    if ttl is not None and on == LAB:
        raise UsageError("--ttl is for --on aws: in the lab nothing is paid for")
    chosen = build_order.select(components, session)
    world, console = enter(on), Console(highlight=False, soft_wrap=True)
    if remove:
        if on == AWS and not dry_run:
            take_down(console, world, chosen, on=on, dry_run=True)
            confirm(f"Remove this from account {world.account}, {world.region}?", yes=yes)
        take_down(console, world, chosen, on=on, dry_run=dry_run)
        return
    if on == AWS:
        world = build_order.asked(lambda: expiring(world, ttl, datetime.now(UTC)))
        announce(console, world, chosen)
        if dry_run:
            return
        confirm(f"Build this in account {world.account}, {world.region}?", yes=yes)
        build_order.asked(lambda: renew(world))
    build(console, world, chosen, on=on, dry_run=dry_run)


def announce(console: Console, world: World, chosen: Sequence[Component]) -> None:
    """What would be made in whose account, and its price: all that is needed to say yes or no."""
    build(console, world, chosen, on=AWS, dry_run=True)
    for line in price_lines(chosen, world.settings, world.region):
        console.print(line, markup=False)
    settings = world.settings
    console.print(f"Everything is tagged Project={settings.project} and ExpiresAt={settings.expires_at}.")


def build(console: Console, world: World, chosen: Sequence[Component], *, on: str = LAB, dry_run: bool = False) -> None:
    """Prints as it goes. At the first component that fails, or at Ctrl-C, says what exists and how to go on or back."""
    for component in chosen:
        build_order.need_dependencies(world, component, chosen)
    if dry_run:
        show_plan(console, {each: build_order.plan(world, each) for each in chosen}, nothing="Everything is built.")
        return
    for component in chosen:
        try:
            step(console, world, component)
        except GroundError:
            on_or_back(console, world, on)
            raise
        except KeyboardInterrupt:
            on_or_back(console, world, on)
            raise Interrupted(f"Interrupted while the {component.title} was being created") from None
    ending(console, world, chosen, on)


def step(console: Console, world: World, component: Component) -> None:
    started = time.monotonic()
    console.print(f"[dim]•[/] Creating {escape(component.title)} ...")
    try:
        done = build_order.create(world, component)
    except (GroundError, KeyboardInterrupt):
        console.print(f"[red]✗[/] {escape(component.title)} {taken(started)}")
        raise
    console.print(f"[green]✓[/] {escape(component.title)} {taken(started) if done else '[dim](was there)[/]'}")
    show_actions(console, done)
    if done:
        console.print(f"  [italic]{escape(component.why)}[/]")


def on_or_back(console: Console, world: World, on: str) -> None:
    """What exists, asked from AWS, and the two ways from here."""
    try:
        found = build_order.leftovers(world)
    except BuildError as error:
        console.print(f"What exists could not be listed: {escape(str(error))}")
    else:
        console.print("What exists now:" if found else "Nothing exists.")
        for each in found:
            console.print(f"    {escape(each)}")
    back = "ground down --on aws" if on == AWS else "ground build --remove"
    console.print(f"Go on: the same command again. Back: {back}")


def ending(console: Console, world: World, chosen: Sequence[Component], on: str) -> None:
    """Where the board is, and what to do next."""
    url = build_order.asked(lambda: public_url(world))
    if url is not None:
        console.print(f"\nThe Visitor Board: [bold]{escape(url)}[/]", soft_wrap=True)
    if said := reminder(build_order.asked(lambda: recorded(world)), datetime.now(UTC)):
        console.print(said, markup=False)
    console.print(f"Next: {following(chosen, flag(on))}")


def following(chosen: Sequence[Component], world_flag: str) -> str:
    """The command that comes after building ``chosen``."""
    last = chosen[-1].number if chosen else 0
    if last == len(build_order.COMPONENTS):
        return f"ground load{world_flag}, and in a second terminal: ground watch{world_flag}"
    if not any(component.session == 2 for component in chosen) and last == build_order.select(session=1)[-1].number:
        return f"ground check{world_flag} --session 1, then ground build{world_flag} --session 2"
    return f"ground build{world_flag} {build_order.COMPONENTS[last].name}"
