"""Takes the workshop's system down, in reverse build order, and asks AWS what is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from groundschool.cli.shown_actions import show_actions, show_plan, taken
from groundschool.cli.world import AWS, LAB, flag
from groundschool.errors import BuildError, Interrupted, NotOwned
from groundschool.workshop import build_order
from groundschool.workshop.component import Action, Component
from groundschool.workshop.waiting import Wait, wait_for
from groundschool.workshop.world import World

LISTING_PATIENCE = 60.0
"""Real seconds for AWS to stop listing what was just deleted (a volume, a network interface)."""


def take_down(
    console: Console, world: World, chosen: Sequence[Component], *, on: str = LAB, dry_run: bool = False
) -> None:
    """With all of it goes what else carries the tag, machines first, as a component's group may be theirs too. Then AWS
    is asked whether anything is left; BuildError when something is, or was not ours to remove.

    Whatever stands in the way of one component alone does not keep the others: what costs goes first.
    """
    backwards, everything = list(reversed(chosen)), len(chosen) == len(build_order.COMPONENTS)
    for component in backwards:
        build_order.need_no_dependants(world, component, chosen)
    if dry_run:
        plans = {each: build_order.owned(world, each) for each in backwards}
        strays = build_order.tagged_strays(world) if everything else []
        show_plan(console, plans, nothing="Of the steps nothing is there." if strays else "Nothing is there to remove.")
        for stray in strays:
            console.print(f"Tagged, though no step made it: {escape(stray)}")
        return
    try:
        if everything:
            perform(console, build_order.stray_machine_clearance(world))
        refused = remove_all(console, world, backwards)
        if not everything:
            if refused:
                raise refused[0]
            return
        perform(console, build_order.tagged_clearance(world))
        prove(console, world, on, refused)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted half-way. Go on: {again(on, chosen)}") from None
    console.print(f"Next: ground build{flag(on)}")


def remove_all(console: Console, world: World, backwards: Sequence[Component]) -> list[NotOwned]:
    """What was found and is not ours."""
    refused = []
    for component in backwards:
        started = time.monotonic()
        try:
            done = build_order.remove(world, component)
        except NotOwned as error:
            console.print(f"[red]✗[/] {escape(str(error))}")
            refused.append(error)
            continue
        if done:
            console.print(f"[green]✓[/] removed {escape(component.title)} {taken(started)}")
            show_actions(console, done)
    return refused


def perform(console: Console, actions: Sequence[Action]) -> None:
    """The removal of what carries the tag and is no component's: a trial instance, a baked image."""
    for action in actions:
        action.run()
        console.print(f"[green]✓[/] {escape(action.says.replace('Delete', 'removed', 1))}")


def prove(console: Console, world: World, on: str, refused: Sequence[NotOwned]) -> None:
    """Looks until AWS lists nothing more. BuildError with all that is left."""
    left: list[str] = []

    def nothing() -> bool:
        left[:] = build_order.leftovers(world) + build_order.tagged_remains(world)
        return not left

    pause = world.settings
    patience = min(LISTING_PATIENCE, pause.build_timeout)
    try:
        wait_for("nothing to be left", nothing, Wait(patience, pause.poll_shortest, pause.poll_longest))
    except BuildError:
        if not left:
            raise
        raise BuildError(f"Still there: {', '.join(left)}. Run it again: {again(on, build_order.COMPONENTS)}") from None
    console.print(f"Nothing tagged Project={world.settings.project} is left in {world.region}.")
    if refused:
        raise BuildError(f"Not removed, because it is not tagged as ours: {len(refused)} (see ✗ above)")


def again(on: str, chosen: Sequence[Component]) -> str:
    """The command that goes on with a teardown."""
    if len(chosen) < len(build_order.COMPONENTS):
        return f"ground build{flag(on)} --remove {' '.join(each.name for each in chosen)}"
    return "ground down --on aws" if on == AWS else "ground build --remove"
