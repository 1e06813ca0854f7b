"""``ground check``: looks at what was built, however it was built."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape

from groundschool.cli.world import enter
from groundschool.workshop import build_order
from groundschool.workshop.component import Check, Component
from groundschool.workshop.world import World


@click.command("check")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--session", type=click.IntRange(1, 2), help="Only the components of this session.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all results.")
def command(components: tuple[str, ...], session: int | None, as_json: bool) -> None:
    """Check what exists against the design, by describe calls and real requests.

    It does not matter who built it: ground build, the aws command or the console. Exits with 1 when a check fails.
    """
    chosen = build_order.select(components, session)
    enter()
    world, console = World.from_environment(), Console(highlight=False, soft_wrap=True)
    results = []
    for component in chosen:
        result = build_order.check(world, component)
        results.append((component, result))
        if not as_json:
            show(console, component, result)
    if as_json:
        click.echo(json.dumps(as_object(world, results), indent=2))
    else:
        summary(console, results)
    if not all(result.ok for _, result in results):
        raise click.exceptions.Exit(1)


def show(console: Console, component: Component, result: Check) -> None:
    mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
    console.print(f"{mark} {component.number:2}. {escape(component.title)}: {escape(result.found)}")
    if result.hint:
        console.print(f"      [yellow]{escape(result.hint)}[/]")
    if result.takeaway:
        console.print(f"      [italic dim]{escape(result.takeaway)}[/]")


def summary(console: Console, results: list[tuple[Component, Check]]) -> None:
    right = sum(result.ok for _, result in results)
    console.print(f"\n{right} of {len(results)} are right.")
    first_wrong = next((component for component, result in results if not result.ok), None)
    if first_wrong is not None:
        console.print(f"Next: ground build {first_wrong.name}")


def as_object(world: World, results: list[tuple[Component, Check]]) -> dict[str, object]:
    return {
        "region": world.region,
        "ok": all(result.ok for _, result in results),
        "components": [
            {"number": each.number, "session": each.session, "name": each.name, "title": each.title, **asdict(result)}
            for each, result in results
        ],
    }
