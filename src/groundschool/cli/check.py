"""``ground check``: looks at what was built, however it was built."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape

from groundschool.cli.world import enter, flag, on_option
from groundschool.workshop import build_order
from groundschool.workshop.component import Check, Component
from groundschool.workshop.expiry import recorded, reminder
from groundschool.workshop.world import World

Result = tuple[Component, Check]


@click.command("check")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--session", type=click.IntRange(1, 2), help="Only the components of this session.")
@on_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all results.")
def command(components: tuple[str, ...], session: int | None, on: str, as_json: bool) -> None:
    """Check what exists against the design, by describe calls and real requests.

    It does not matter who built it: ground build, the aws command or the console. Exits with 1 when a check fails.
    """
    chosen = build_order.select(components, session)
    world, console = enter(on), Console(highlight=False, soft_wrap=True)
    results: list[Result] = []
    for component in chosen:
        result = build_order.check(world, component)
        results.append((component, result))
        if not as_json:
            show(console, component, result)
    if as_json:
        click.echo(json.dumps(as_object(world, results), indent=2))
    else:
        console.print()
        for line in progress(results) if not components else ():
            console.print(line)
        if said := reminder(build_order.asked(lambda: recorded(world)), datetime.now(UTC)):
            console.print(said, markup=False)
        summary(console, results, flag(on))
    if not all(result.ok for _, result in results):
        raise click.exceptions.Exit(1)


def show(console: Console, component: Component, result: Check) -> None:
    seen = "[green]✓[/]" if result.ok else "[red]✗[/]"
    console.print(f"{seen} {component.number:2}. {escape(component.title)}: {escape(result.found)}")
    if result.hint:
        console.print(f"      [yellow]{escape(result.hint)}[/]")
    if result.takeaway:
        console.print(f"      [italic dim]{escape(result.takeaway)}[/]")


def progress(results: list[Result]) -> list[str]:
    """Pure: a line per session over the build order: right, there but wrong, not there yet."""
    sessions = sorted({component.session for component, _ in results})
    lines = []
    for session in sessions:
        steps = [f"{mark(result)} {component.name}" for component, result in results if component.session == session]
        lines.append(f"Session {session}  {'  '.join(steps)}")
    return lines


def mark(result: Check) -> str:
    if result.ok:
        return "[green]✓[/]"
    return "[red]✗[/]" if result.there else "[dim]·[/]"


def state(result: Check) -> str:
    return "right" if result.ok else "wrong" if result.there else "not there"


def first_wrong(results: list[Result]) -> Component | None:
    return next((component for component, result in results if not result.ok), None)


def summary(console: Console, results: list[Result], world_flag: str) -> None:
    right = sum(result.ok for _, result in results)
    console.print(f"{right} of {len(results)} are right.")
    if (following := first_wrong(results)) is not None:
        console.print(f"Next: ground build{world_flag} {following.name}")


def as_object(world: World, results: list[Result]) -> dict[str, object]:
    following = first_wrong(results)
    return {
        "region": world.region,
        "ok": following is None,
        "right": sum(result.ok for _, result in results),
        "next": following.name if following else None,
        "expires_at": build_order.asked(lambda: recorded(world)),
        "components": [
            {
                "number": each.number,
                "session": each.session,
                "name": each.name,
                "title": each.title,
                "state": state(result),
                **asdict(result),
            }
            for each, result in results
        ],
    }
