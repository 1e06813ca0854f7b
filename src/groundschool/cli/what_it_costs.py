"""What a build would cost on AWS, in the words in which it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from groundschool.cloud.settings import lab_settings
from groundschool.errors import UsageError
from groundschool.workshop.component import Component
from groundschool.workshop.cost import HOUR, Bill, Usage, estimate, running
from groundschool.workshop.cost_prices import price_list
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World


def prices_folder() -> Path:
    """Where ``ground cost --refresh`` keeps price lists; they go before the packaged one."""
    return lab_settings().home / "prices"


def price_lines(chosen: Sequence[Component], settings: WorkshopSettings, region: str) -> list[str]:
    """The hourly price of the chosen components at rest and at their largest, or why there is none."""
    names = {component.name for component in chosen}
    by_hand, grouped, balanced = "instance" in names, "auto-scaling-group" in names, "load-balancer" in names
    least = by_hand + settings.desired_capacity * grouped
    most = by_hand + settings.maximum_size * grouped
    if not least and not balanced:
        return ["None of it is paid by the hour; requests and storage are paid as they come."]
    try:
        at_rest, at_most = (
            listed(without_visitors(settings, size * grouped, by_hand=by_hand, balanced=balanced), region)
            for size in (settings.desired_capacity, settings.maximum_size)
        )
    except UsageError as error:
        return [f"The price is not known here. {error}"]
    parts = [f"{least} {settings.instance_type}"] * bool(least) + ["a load balancer"] * balanced
    lines = [
        f"It costs about ${at_rest.per_hour:.3f} an hour, ${at_rest.per_month:.0f} a month if it is forgotten: "
        f"{' and '.join(parts)} without visitors, at list prices of {region} recorded {at_rest.recorded}."
    ]
    if most > least:
        lines.append(f"Under load the group may grow to {settings.maximum_size}: ${at_most.per_hour:.3f} an hour.")
    return [*lines, f"Not included: {', '.join(at_rest.not_included)}."]


def without_visitors(settings: WorkshopSettings, grouped: int, *, by_hand: bool, balanced: bool) -> Usage:
    """Pure: an hour at rest. The template of the ``grouped`` instances asks for detailed monitoring."""
    return replace(
        running(by_hand + grouped, settings.instance_type),
        monitored_instance_seconds=grouped * HOUR,
        alarms=2 if grouped else 0,
        load_balancers=int(balanced),
        load_balancer_addresses=settings.availability_zones * balanced,
    )


def listed(usage: Usage, region: str) -> Bill:
    """At the prices that were refreshed, or come with the package. UsageError when there are none of the region."""
    return estimate(usage, region, price_list(region, prices_folder()))


def snapshot_month(gib: int, region: str) -> str:
    """What snapshots of volumes of so many GiB cost in a month, in words. At most: AWS bills the blocks in use."""
    try:
        amount = price_list(region, prices_folder()).price("snapshot_gb_month").amount(gib)
    except UsageError:
        amount = None
    if amount is None:
        return f"{gib} GiB of snapshots, on AWS not priced (ground cost --refresh --region {region} asks for the price)"
    return f"{gib} GiB of snapshots, on AWS at most ${amount:.2f} a month"


def instance_hour(world: World) -> str:
    """What one instance without visitors costs in an hour, in words."""
    usage = without_visitors(world.settings, 0, by_hand=True, balanced=False)
    try:
        return f"${listed(usage, world.region).per_hour:.3f} an hour"
    except UsageError as error:
        return f"the price is not known here ({error})"
