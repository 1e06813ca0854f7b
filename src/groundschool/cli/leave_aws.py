"""``ground down --on aws``: removes what was built in the user's account, and proves it by asking AWS."""

from __future__ import annotations

from rich.console import Console

from groundschool.cli.confirm import confirm
from groundschool.cli.take_down import take_down
from groundschool.cli.world import AWS
from groundschool.workshop import build_order
from groundschool.workshop.world import World


def leave_aws(world: World, *, yes: bool) -> None:
    """Lists, asks, removes in dependency order, and lists again. BuildError with what is left."""
    console = Console(highlight=False, soft_wrap=True)
    take_down(console, world, build_order.COMPONENTS, on=AWS, dry_run=True)
    if build_order.tagged_strays(world) or build_order.leftovers(world):
        confirm(f"Remove all of this from account {world.account}, {world.region}?", yes=yes)
    take_down(console, world, build_order.COMPONENTS, on=AWS)
