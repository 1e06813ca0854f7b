"""How planned and done actions look on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from groundschool.workshop.component import Action, Component


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
    """Since ``started`` of the monotonic clock."""
    return f"[dim]({time.monotonic() - started:.1f} s)[/]"
