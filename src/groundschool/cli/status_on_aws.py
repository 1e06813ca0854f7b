"""``ground status --on aws``: what exists in the user's account, and until when it should."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from groundschool.workshop import build_order
from groundschool.workshop.expiry import recorded, reminder
from groundschool.workshop.world import World


def show_aws(world: World, *, as_json: bool) -> None:
    """By describe calls, and by the Resource Groups Tagging API for what no component has made."""
    exists, strays = build_order.leftovers(world), build_order.tagged_strays(world)
    at = build_order.asked(lambda: recorded(world))
    if as_json:
        document = {"region": world.region, "exists": exists, "strays": strays, "expires_at": at}
        click.echo(json.dumps(document, indent=2))
        return
    for each in exists:
        click.echo(each)
    for each in strays:
        click.echo(f"Tagged, though no step made it: {each}")
    click.echo(
        reminder(at, datetime.now(UTC)) or ("To end it: ground down --on aws" if exists else "Nothing is there.")
    )
