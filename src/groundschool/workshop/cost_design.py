"""The workshop's design on paper: so many instances, so many requests per second, no world needed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from groundschool.errors import UsageError
from groundschool.workshop.cost import HOUR, MONTH_HOURS, VCPUS, Bill, Usage, Use, alone, bill, running, together, uses
from groundschool.workshop.cost_prices import PriceList
from groundschool.workshop.settings import WorkshopSettings

POSTS = 0.1
"""Share of the requests of ``ground load``: nine page views to one post."""

READS_PER_PAGE, WRITES_PER_POST = 0.5, 2.0
"""Request units, measured: docs/visitor-board-capacity.md, a returning visitor and a post without client token."""

BYTES_PER_REQUEST, CONNECTIONS_PER_REQUEST = 8500.0, 0.06
"""Measured in the lab: ProcessedBytes 6.80 MB and NewConnectionCount 50 of 800 requests, ``ground load --rate 40`` on a
board whose newest page is full. Browsers of strangers make a new connection more often than that."""

SESSIONS = "both 60-minute sessions: an hour with one instance alone, then an hour of this"
"""What a bill means by a session; the load balancer of the second is billed as one whole hour."""


@dataclass(frozen=True)
class Outlook:
    """The same design for three lengths of time."""

    hour: Bill
    sessions: Bill
    month: Bill


def outlook(hour: tuple[Use, ...], prices: PriceList, instance_type: str) -> Outlook:
    """Bills for what one hour uses, and for what follows from it."""
    first = tuple(use for use in uses(alone(instance_type), prices.baselines) if use.quantity)
    both = together(hour, first)
    month = tuple(replace(use, quantity=use.quantity and use.quantity * MONTH_HOURS) for use in hour)
    return Outlook(bill(hour, prices, HOUR), bill(both, prices, 2 * HOUR), bill(month, prices, MONTH_HOURS * HOUR))


def design(instances: int, rate: float, settings: WorkshopSettings) -> Usage:
    """An hour of ``instances`` behind the load balancer at ``rate`` requests per second.

    With traffic, every instance works at the policy's target CPU: what the group would settle at, whatever a request
    costs on that type.
    """
    requests = rate * HOUR
    busy = settings.target_cpu / 100 if rate else 0.0
    return replace(
        running(instances, settings.instance_type),
        load_balancer_addresses=settings.availability_zones,
        vcpu_seconds=instances * HOUR * VCPUS * busy,
        new_connections=requests * CONNECTIONS_PER_REQUEST,
        processed_bytes=requests * BYTES_PER_REQUEST,
        read_units=requests * (1 - POSTS) * READS_PER_PAGE,
        write_units=requests * POSTS * WRITES_PER_POST,
    )


def design_uses(usage: Usage, prices: PriceList) -> tuple[Use, ...]:
    """Its uses for one hour; raises UsageError for an instance type without a price."""
    if usage.instance_type not in prices.instance_types():
        raise UsageError(f"No price is recorded for {usage.instance_type} in {prices.region}")
    return (*(use for use in uses(usage, prices.baselines) if use.quantity), STORED)


STORED = Use("dynamodb_gb_month", None, note="a message is some hundred bytes, and how many there will be is open")


def assumptions(instances: int, rate: float, settings: WorkshopSettings) -> list[str]:
    """What the figures stand on, one sentence each."""
    said = [
        f"{instances} x {settings.instance_type} with detailed monitoring, one load balancer in "
        f"{settings.availability_zones} zones, the policy's two alarms",
        SESSIONS,
    ]
    if rate:
        said += [
            f"{rate:g} requests/s all the time, {POSTS:.0%} of them posts: {READS_PER_PAGE:g} RRU per page and "
            f"{WRITES_PER_POST:g} WRU per post (measured, docs/visitor-board-capacity.md)",
            f"{BYTES_PER_REQUEST / 1000:.1f} kB and {CONNECTIONS_PER_REQUEST:.2f} new connections per request "
            "(measured in the lab with ground load)",
            f"every instance at {settings.target_cpu:.0f} % CPU, the policy's target: more than a burstable type earns",
        ]
    return said
