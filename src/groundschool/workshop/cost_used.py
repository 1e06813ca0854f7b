"""From what was found and measured to the uses that are billed. Pure, with AWS's minimums."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from groundschool.workshop.cost import DETAILED_METRICS, HOUR, MONTH_HOURS, VCPUS, Use, lcu_hours, surplus_hours
from groundschool.workshop.cost_found import Found, InstanceRun
from groundschool.workshop.cost_prices import INSTANCE_HOUR
from groundschool.workshop.cost_traffic import Traffic, Window

MINIMUM_SECONDS = 60.0
"""AWS bills an instance, its address and its disk per second, and a launch at least so long."""

TRAFFIC = (
    "surplus_vcpu_hour",
    "lcu_hour",
    "dynamodb_million_wru",
    "dynamodb_million_rru",
    "transfer_out_gb",
)
"""Prices of what was done; the others are of what stands there."""

NOT_ON_DEMAND = "the table has provisioned capacity, and only on-demand requests are priced here"


def used(found: Found, traffic: Traffic, window: Window, baselines: Mapping[str, float]) -> tuple[Use, ...]:
    """What AWS bills for the window. Only resources that exist, or existed in it, have a line."""
    return (
        *_instances(found, traffic, window, baselines),
        *_balancers(found, traffic, window),
        *_tables(found, traffic, window),
        *_snapshots(found, window),
        *_alarms(found, window),
    )


def hourly(found: Found, billed: Iterable[Use], window: Window) -> tuple[Use, ...]:
    """An hour of what stands now, with the window's average of what was done (``billed``)."""
    ahead = Window(found.at, found.at + timedelta(hours=1))
    standing = (use for use in used(found, Traffic(), ahead, {}) if use.price not in TRAFFIC)
    done = (use for use in billed if use.price in TRAFFIC and window.seconds)
    return (*standing, *(replace(use, quantity=use.quantity and use.quantity * HOUR / window.seconds) for use in done))


def billed_seconds(launched: datetime, ended: datetime | None, window: Window) -> float:
    """AWS seconds of a life within the window, at least a minute for one that was launched in it."""
    start, end = max(launched, window.since), min(ended or window.until, window.until)
    if end < start:
        return 0.0
    seconds = window.aws_seconds(start, end)
    return max(MINIMUM_SECONDS, seconds) if launched >= window.since else seconds


def _instances(found: Found, traffic: Traffic, window: Window, baselines: Mapping[str, float]) -> Iterator[Use]:
    ran = {run: billed_seconds(run.launched, run.ended, window) for run in found.instances}
    ran = {run: seconds for run, seconds in ran.items() if seconds}
    for kind, ids in _by_type(ran).items():
        total = sum(seconds for run, seconds in ran.items() if run.instance_type == kind)
        yield Use(f"{INSTANCE_HOUR}/{kind}", total / HOUR, ids)
    if ran:
        yield _surplus(ran, traffic, baselines)
    kept = {run: billed_seconds(run.launched, run.disk_ended, window) / HOUR for run in found.instances}
    yield from _disks({run: hours for run, hours in kept.items() if hours})
    hours = {run: seconds / HOUR for run, seconds in ran.items()}
    yield from _addresses(found, hours, window)
    yield from _monitoring({run: math.ceil(each) for run, each in hours.items()})


def _surplus(ran: Mapping[InstanceRun, float], traffic: Traffic, baselines: Mapping[str, float]) -> Use:
    ids = tuple(run.instance_id for run in ran)
    cpu = traffic.cpu
    if cpu is None:
        return Use("surplus_vcpu_hour", None, ids, traffic.why_not)
    without = [run.instance_id for run in ran if run.instance_id not in cpu]
    if len(without) == len(ran):
        return Use("surplus_vcpu_hour", None, ids, "no instance has a CPU datapoint yet")
    hours = sum(
        surplus_hours(cpu[run.instance_id] / 100 * VCPUS * seconds, seconds, baselines.get(run.instance_type, 0.0))
        for run, seconds in ran.items()
        if run.instance_id in cpu
    )
    note = "by instance; charged when it ends, less what idle hours earn back within a day"
    if without:
        note += f"; without {', '.join(without)}, too young for a CPU datapoint"
    return Use("surplus_vcpu_hour", hours, ids, note)


def _balancers(found: Found, traffic: Traffic, window: Window) -> Iterator[Use]:
    if not found.balancers:
        return
    names = tuple(each.name for each in found.balancers)
    hours = sum(math.ceil(_standing_hours(each.created, window)) for each in found.balancers)
    yield Use("load_balancer_hour", hours, names, "each started hour counts whole")
    if traffic.hours is None:
        yield Use("lcu_hour", None, names, traffic.why_not)
        yield Use("transfer_out_gb", None, names, traffic.why_not)
        return
    units = sum(
        lcu_hours(1.0, hour.new_connections, hour.active_minutes / 60, hour.processed_bytes) for hour in traffic.hours
    )
    yield Use("lcu_hour", units, names)
    size = sum(hour.processed_bytes for hour in traffic.hours) / 1e9
    yield Use("transfer_out_gb", size, names, "at most: ProcessedBytes, which counts what came in, too")


def _tables(found: Found, traffic: Traffic, window: Window) -> Iterator[Use]:
    if not found.tables:
        return
    names = tuple(each.name for each in found.tables)
    on_demand = all(each.on_demand for each in found.tables)
    for price, units in (("dynamodb_million_wru", traffic.write_units), ("dynamodb_million_rru", traffic.read_units)):
        if units is None or not on_demand:
            yield Use(price, None, names, traffic.why_not if on_demand else NOT_ON_DEMAND)
        else:
            yield Use(price, units / 1e6, names)
    months = [each.bytes / 1e9 * _standing_hours(each.created, window) / MONTH_HOURS for each in found.tables]
    yield Use("dynamodb_gb_month", sum(months), names, "at its size now")


def _snapshots(found: Found, window: Window) -> Iterator[Use]:
    if found.snapshots:
        months = [each.gb * _standing_hours(each.created, window) / MONTH_HOURS for each in found.snapshots]
        ids = tuple(each.snapshot_id for each in found.snapshots)
        yield Use("snapshot_gb_month", sum(months), ids, "at most: the whole volume, where AWS bills the blocks in use")


def _alarms(found: Found, window: Window) -> Iterator[Use]:
    if found.alarms:
        hours = sum(math.ceil(_standing_hours(since, window)) for _, since in found.alarms)
        names = tuple(name for name, _ in found.alarms)
        yield Use("alarm_month", hours / MONTH_HOURS, names, "those that stand now, by the started hour")


def _standing_hours(created: datetime, window: Window) -> float:
    return max(0.0, window.aws_seconds(max(created, window.since), window.until)) / HOUR


def _by_type(runs: Iterable[InstanceRun]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        found[run.instance_type].append(run.instance_id)
    return {kind: tuple(ids) for kind, ids in found.items()}


def _disks(hours: Mapping[InstanceRun, float]) -> Iterator[Use]:
    kinds: dict[str, list[InstanceRun]] = defaultdict(list)
    for run in hours:
        if run.disk.gb:
            kinds[run.disk.kind].append(run)
    for kind, runs in kinds.items():
        gb_months = sum(run.disk.gb * hours[run] for run in runs) / MONTH_HOURS
        ids = tuple(run.instance_id for run in runs)
        yield Use(f"{kind}_gb_month", gb_months, ids, "root volumes, as their images describe them")


def _addresses(found: Found, hours: Mapping[InstanceRun, float], window: Window) -> Iterator[Use]:
    public = [run for run in hours if run.public]
    balancers = [each for each in found.balancers if each.addresses]
    if public or balancers:
        total = sum(hours[run] for run in public)
        total += sum(each.addresses * _standing_hours(each.created, window) for each in balancers)
        of = (*(run.instance_id for run in public), *(each.name for each in balancers))
        yield Use("public_ipv4_hour", total, of, "a balancer has one per zone" if balancers else "")


def _monitoring(hours: Mapping[InstanceRun, float]) -> Iterator[Use]:
    monitored = [run for run in hours if run.monitored]
    if monitored:
        months = DETAILED_METRICS * sum(hours[run] for run in monitored) / MONTH_HOURS
        note = f"{DETAILED_METRICS} metrics each, by the started hour"
        yield Use("metric_month", months, tuple(run.instance_id for run in monitored), note)
