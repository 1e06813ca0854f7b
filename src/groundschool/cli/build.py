"""``ground build``: makes the workshop's system, component by component."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape

from groundschool.cli.world import enter
from groundschool.errors import BuildError, GroundError
from groundschool.workshop import build_order
from groundschool.workshop.component import Action, Component
from groundschool.workshop.public_address import public_url
from groundschool.workshop.world import World


@click.command("build")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--session", type=click.IntRange(1, 2), help="Only the components of this session.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--remove", is_flag=True, help="Take down instead, in reverse order.")
def command(components: tuple[str, ...], session: int | None, dry_run: bool, remove: bool) -> None:
    """Build the workshop's system through the AWS API.

    Without arguments: all eleven components in build order. What exists already is left alone, so the command can be
    repeated after an error. --remove takes down only what carries the workshop's tag.
    """
    chosen = build_order.select(components, session)
    enter()
    world, console = World.from_environment(), Console(highlight=False, soft_wrap=True)
    if remove:
        take_down(console, world, chosen, dry_run=dry_run)
    else:
        build(console, world, chosen, dry_run=dry_run)


def build(console: Console, world: World, chosen: Sequence[Component], *, dry_run: bool = False) -> None:
    """Prints as it goes. Raises BuildError at the first component that fails; the ones before it stay."""
    for component in chosen:
        build_order.need_dependencies(world, component, chosen)
    if dry_run:
        show_plan(console, {each: build_order.plan(world, each) for each in chosen}, nothing="Everything is built.")
        return
    for component in chosen:
        step(console, world, component)
    ending(console, world, chosen)


def step(console: Console, world: World, component: Component) -> None:
    started = time.monotonic()
    console.print(f"[dim]•[/] Creating {escape(component.title)} ...")
    try:
        done = build_order.create(world, component)
    except GroundError:
        console.print(f"[red]✗[/] {escape(component.title)} {taken(started)}")
        raise
    console.print(f"[green]✓[/] {escape(component.title)} {taken(started) if done else '[dim](was there)[/]'}")
    show_actions(console, done)
    if done:
        console.print(f"  [italic]{escape(component.why)}[/]")


def take_down(console: Console, world: World, chosen: Sequence[Component], *, dry_run: bool = False) -> None:
    """In reverse build order. After all of it, asks AWS whether anything is left; BuildError when something is."""
    backwards = list(reversed(chosen))
    for component in backwards:
        build_order.need_no_dependants(world, component, chosen)
    if dry_run:
        plans = {each: build_order.removal(world, each) for each in backwards}
        show_plan(console, plans, nothing="Nothing is there to remove.")
        return
    for component in backwards:
        started = time.monotonic()
        done = build_order.remove(world, component)
        if done:
            console.print(f"[green]✓[/] removed {escape(component.title)} {taken(started)}")
            show_actions(console, done)
    if len(chosen) < len(build_order.COMPONENTS):
        return
    if left := build_order.leftovers(world):
        raise BuildError(f"Still there: {', '.join(left)}. Run it again: ground build --remove")
    console.print(f"Nothing tagged Project={world.settings.project} is left in {world.region}.")
    console.print("Next: ground build")


def ending(console: Console, world: World, chosen: Sequence[Component]) -> None:
    """Where the board is, and what to do next."""
    url = public_url(world)
    if url is not None:
        console.print(f"\nThe Visitor Board: [bold]{escape(url)}[/]", soft_wrap=True)
    last = chosen[-1].number if chosen else 0
    if last == len(build_order.COMPONENTS):
        following = "ground load, and in a second terminal: ground watch"
    elif any(component.session == 2 for component in chosen):
        following = f"ground build {build_order.COMPONENTS[last].name}"
    elif last == max(component.number for component in build_order.select(session=1)):
        following = "ground check --session 1, then ground build --session 2"
    else:
        following = f"ground build {build_order.COMPONENTS[last].name}"
    console.print(f"Next: {following}")


def show_plan(console: Console, plans: dict[Component, list[Action]], *, nothing: str) -> None:
    for component, actions in plans.items():
        if actions:
            console.print(f"{component.number:2}. {escape(component.title)}")
            show_actions(console, actions)
    if not any(plans.values()):
        console.print(nothing)


def show_actions(console: Console, actions: Sequence[Action]) -> None:
    for action in actions:
        console.print(f"    [dim]{escape(action.says)}[/]")


def taken(started: float) -> str:
    return f"[dim]({time.monotonic() - started:.1f} s)[/]"
