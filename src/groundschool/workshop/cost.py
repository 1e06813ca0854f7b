"""What the workshop's design costs on AWS, from what was used. Pure; prices are data with a date and a source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from groundschool.errors import UsageError

HOUR, MONTH_HOURS = 3600, 730
"""AWS bills a month as 730 hours."""

PRICED_REGION = "eu-north-1"

VCPUS = 2
"""Of every instance type in the price list."""

NOT_INCLUDED = (
    "detailed monitoring and alarms (price not recorded)",
    "data transfer out",
    "DynamoDB storage",
    "tax; a free tier would lower the bill",
)


@dataclass(frozen=True)
class Usage:
    """What ran, in AWS time: in the lab pass lab seconds, so 4 minutes at speed 20 are 80 minutes.

    ``instance_seconds`` are summed over the instances, ``vcpu_seconds`` is the CPU they really used.
    ``load_balancer_addresses``: an internet-facing ALB has one public IPv4 address per zone (AWS: at least two).
    """

    seconds: float
    instance_seconds: float
    instance_type: str = "t3.micro"
    vcpu_seconds: float = 0.0
    volume_gb: float = 8.0
    load_balancers: int = 1
    load_balancer_addresses: int = 2
    new_connections: int = 0
    processed_bytes: int = 0
    read_units: float = 0.0
    write_units: float = 0.0


@dataclass(frozen=True)
class BillLine:
    """``amount`` = ``quantity`` x ``price`` in USD. ``source``: D documented, O observed, I inferred."""

    what: str
    quantity: float
    unit: str
    price: float
    source: str

    @property
    def amount(self) -> float:
        return self.quantity * self.price


@dataclass(frozen=True)
class Bill:
    """An estimate in USD at the list prices of ``region`` as recorded on ``recorded``."""

    region: str
    recorded: date
    seconds: float
    lines: tuple[BillLine, ...]
    not_included: tuple[str, ...] = NOT_INCLUDED

    @property
    def total(self) -> float:
        return sum(line.amount for line in self.lines)

    @property
    def per_hour(self) -> float:
        return self.total * HOUR / self.seconds

    @property
    def per_month(self) -> float:
        return self.per_hour * MONTH_HOURS


def estimate(usage: Usage, region: str = PRICED_REGION) -> Bill:
    """The bill of ``usage``, to the second; AWS has a minimum of 60 s per instance and bills the ALB in whole hours.

    Raises UsageError for a region or an instance type without a recorded price.
    """
    prices = _prices(region)
    if usage.instance_type not in prices["instance_hour"]:
        known = ", ".join(prices["instance_hour"])
        raise UsageError(f"No price is recorded for {usage.instance_type} in {region}. Known: {known}")
    return Bill(region, prices["recorded"], usage.seconds, tuple(_lines(usage, prices)))


def running(instances: int, instance_type: str = "t3.micro", hours: float = 1.0) -> Usage:
    """The design at rest: ``instances`` behind one load balancer, without traffic."""
    return Usage(hours * HOUR, instances * hours * HOUR, instance_type)


def _lines(usage: Usage, prices: dict[str, Any]) -> list[BillLine]:
    hours, instance_hours = usage.seconds / HOUR, usage.instance_seconds / HOUR
    addresses = instance_hours + hours * usage.load_balancers * usage.load_balancer_addresses

    def line(what: str, quantity: float, unit: str, price: dict[str, Any]) -> BillLine:
        return BillLine(what, quantity, unit, price["price"], price["source"])

    return [
        line(f"EC2 {usage.instance_type}", instance_hours, "hour", prices["instance_hour"][usage.instance_type]),
        line("EC2 CPU above the baseline", _surplus_hours(usage, prices), "vCPU-hour", prices["surplus_vcpu_hour"]),
        line("EBS gp3", usage.volume_gb * instance_hours / MONTH_HOURS, "GB-month", prices["gp3_gb_month"]),
        line("Public IPv4 addresses", addresses, "hour", prices["public_ipv4_hour"]),
        line("Application Load Balancer", hours * usage.load_balancers, "hour", prices["load_balancer_hour"]),
        line("Load balancer capacity", _lcu(usage) * hours, "LCU-hour", prices["lcu_hour"]),
        line("DynamoDB writes", usage.write_units / 1e6, "million WRU", prices["dynamodb_million_wru"]),
        line("DynamoDB reads", usage.read_units / 1e6, "million RRU", prices["dynamodb_million_rru"]),
    ]


def _surplus_hours(usage: Usage, prices: dict[str, Any]) -> float:
    """AWS, T3 unlimited: no launch credits, so what was used above what was earned is charged at termination.

    Instances are taken together: one that idles pays for one that works, which AWS does not do. Never too high.
    """
    baseline: float = prices["baseline"][usage.instance_type]
    earned = usage.instance_seconds * VCPUS * baseline
    return max(0.0, usage.vcpu_seconds - earned) / HOUR


def _lcu(usage: Usage) -> float:
    """Capacity units, averaged over the time: the largest of AWS's dimensions.

    25 new connections/s; 3,000 active connections/min, where each is taken as active for its first minute; 1 GB/h. Rule
    evaluations are free with fewer than ten rules.
    """
    if usage.seconds <= 0:
        return 0.0
    connections = usage.new_connections / usage.seconds
    return max(connections / 25, connections * 60 / 3000, usage.processed_bytes / 1e9 * HOUR / usage.seconds)


@cache
def _prices(region: str) -> dict[str, Any]:
    if region != PRICED_REGION:
        raise UsageError(
            f"No prices are recorded for {region}, only for {PRICED_REGION}. See https://calculator.aws for {region}"
        )
    data = files("groundschool.workshop").joinpath("cost_eu_north_1.toml").read_text(encoding="utf-8")
    return tomllib.loads(data)
