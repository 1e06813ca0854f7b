"""Where load may go, and how much of it where it costs money. Pure."""

from __future__ import annotations

from groundschool.endpoint import Endpoint, is_loopback, locate
from groundschool.errors import LoadError, UsageError
from groundschool.traffic.settings import LoadSettings, Loop

MOST_RATE = 1_000.0
"""Requests per second to another machine: half an hour of it is 1.8 million."""

MOST_USERS = 1_000
"""Each asks about once a second, so this is the same bound."""

MOST_SECONDS = 1_800.0
"""Half an hour: an alarm, a scale-out, and the fifteen minutes until it scales in."""


def destination(url: str, *, agreed: bool = False) -> Endpoint:
    """The endpoint of ``url`` when it is on this machine, or when somebody has ``agreed`` that it is theirs.

    Raises LoadError for any other address, whatever it resolves to: load on somebody else's system is an attack,
    and on AWS it costs money.
    """
    endpoint = locate(url)
    if not agreed and is_elsewhere(url):
        raise LoadError(
            f"{url} is not on this machine. Load is sent to the lab only: elsewhere it costs money or is an attack. "
            "Start a lab with: ground up, and build in it with: ground build"
        )
    return endpoint


def is_elsewhere(url: str) -> bool:
    """Whether ``url`` leads off this machine. A name counts as elsewhere, whatever it resolves to."""
    return not is_loopback(locate(url).connect_host)


def within_bounds(settings: LoadSettings) -> None:
    """UsageError when the load is more than may be sent to another machine."""
    seconds, level = settings.shape.seconds, max(level for _, level in settings.shape.points)
    if seconds > MOST_SECONDS:
        raise UsageError(f"{seconds:g} s of load are too much for another machine: at most {MOST_SECONDS:g} s")
    if settings.loop is Loop.OPEN and level > MOST_RATE:
        raise UsageError(f"{level:g} requests per second are too much for another machine: at most {MOST_RATE:g}")
    if settings.loop is Loop.CLOSED and level > MOST_USERS:
        raise UsageError(f"{level:g} users are too many for another machine: at most {MOST_USERS}")


def base_url(endpoint: Endpoint) -> str:
    host = f"[{endpoint.connect_host}]" if ":" in endpoint.connect_host else endpoint.connect_host
    return f"{endpoint.scheme}://{host}:{endpoint.connect_port}"
