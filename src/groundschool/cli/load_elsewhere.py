"""What is said and asked before load leaves this machine."""

from __future__ import annotations

import click

from groundschool.cli.confirm import confirm
from groundschool.errors import UsageError
from groundschool.traffic.destination import within_bounds
from groundschool.traffic.settings import LoadSettings, Loop
from groundschool.workshop.cost import Usage, estimate
from groundschool.workshop.cost_prices import PRICED_REGION

VIEW_READS, VIEW_WRITES, POST_WRITES = 0.5, 1.0, 3.0
"""Capacity units at most, as measured (docs/visitor-board-capacity.md): new visitors all, every post with a token."""


def agree(url: str, settings: LoadSettings, region: str | None, *, yes: bool) -> None:
    """UsageError beyond the bounds; otherwise says what may be sent and its price, and asks whose the board is.

    ``region`` is None when only the URL is known. Writes to stderr: stdout is for the load's own lines.
    """
    within_bounds(settings)
    requests = most_requests(settings)
    seconds = settings.shape.seconds
    click.echo(f"{url} is not on this machine. It would get up to {requests:,} requests in {seconds:g} s.", err=True)
    click.echo(price_line(requests, settings, region or PRICED_REGION), err=True)
    confirm("Is it yours, and may it be loaded?", yes=yes)


def most_requests(settings: LoadSettings) -> int:
    """Pure. A user thinks for half of the mean at least, however quick the answers are."""
    seconds, level = settings.shape.seconds, max(level for _, level in settings.shape.points)
    if settings.loop is Loop.OPEN:
        return round(settings.shape.expected(seconds))
    return round(level * seconds / (settings.think_seconds / 2))


def price_line(requests: int, settings: LoadSettings, region: str) -> str:
    """Pure: the requests' own price, and what comes on top."""
    posts = requests * settings.post_share
    usage = Usage(
        settings.shape.seconds,
        instance_seconds=0,
        load_balancers=0,
        read_units=requests * VIEW_READS,
        write_units=(requests - posts) * VIEW_WRITES + posts * POST_WRITES,
    )
    extra = "instances that the group adds, the balancer's capacity units and data out come on top"
    try:
        return f"At most ${estimate(usage, region).total:.2f} for DynamoDB at list prices of {region}; {extra}."
    except UsageError as error:
        return f"Its price is not known here ({error}); {extra}."
