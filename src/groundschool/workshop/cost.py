"""What things cost on AWS: uses in, a bill out. Pure; prices are data with a date and a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from groundschool.errors import UsageError
from groundschool.workshop.cost_prices import INSTANCE_HOUR, PRICED_REGION, PriceList, price_list

HOUR, MONTH_HOURS = 3600, 730
"""AWS bills a month as 730 hours."""

VCPUS = 2
"""Of every instance type in the price list."""

DETAILED_METRICS = 7
"""Metrics that an instance with detailed monitoring sends each minute, and that are paid like custom ones. O."""

NOT_INCLUDED = (
    "free tiers and credits, which would lower the bill, and tax",
    "S3 for the release, which is some MB",
    "traffic between availability zones",
)

WHAT = {
    "surplus_vcpu_hour": ("EC2 CPU above the baseline", "vCPU-hour"),
    "gp3_gb_month": ("EBS gp3", "GB-month"),
    "public_ipv4_hour": ("Public IPv4 addresses", "hour"),
    "load_balancer_hour": ("Application Load Balancer", "hour"),
    "lcu_hour": ("Load balancer capacity", "LCU-hour"),
    "dynamodb_million_wru": ("DynamoDB writes", "million WRU"),
    "dynamodb_million_rru": ("DynamoDB reads", "million RRU"),
    "dynamodb_gb_month": ("DynamoDB storage", "GB-month"),
    "metric_month": ("CloudWatch detailed monitoring", "metric-month"),
    "alarm_month": ("CloudWatch alarms", "alarm-month"),
    "transfer_out_gb": ("Data transfer out", "GB"),
    "snapshot_gb_month": ("EBS snapshots", "GB-month"),
}
"""Price name -> what a bill calls it, and its unit."""


@dataclass(frozen=True)
class Use:
    """So much of what has one price. ``quantity`` None: it is not measured, and ``note`` says why.

    ``of`` names the resources that caused it.
    """

    price: str
    quantity: float | None
    of: tuple[str, ...] = ()
    note: str = ""

    @property
    def what(self) -> str:
        kind, _, one = self.price.partition("/")
        return f"EC2 {one}" if kind == INSTANCE_HOUR else WHAT.get(self.price, (self.price, ""))[0]

    @property
    def unit(self) -> str:
        return WHAT.get(self.price, ("", "hour"))[1]


@dataclass(frozen=True)
class BillLine:
    """``amount`` = ``quantity`` x ``price`` in USD; None when one of them is not known, and ``note`` says why."""

    what: str
    quantity: float | None
    unit: str
    price: float | None
    amount: float | None
    source: str
    recorded: date
    of: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Bill:
    """In USD at the list prices of ``region``, for ``seconds`` of AWS time."""

    region: str
    recorded: date
    origin: str
    seconds: float
    lines: tuple[BillLine, ...]
    not_included: tuple[str, ...] = NOT_INCLUDED

    @property
    def total(self) -> float:
        """Of the lines that have an amount."""
        return sum(line.amount or 0.0 for line in self.lines)

    @property
    def per_hour(self) -> float:
        return self.total * HOUR / self.seconds

    @property
    def per_month(self) -> float:
        return self.per_hour * MONTH_HOURS


@dataclass(frozen=True)
class Usage:
    """What ran, in AWS time: in the lab pass lab seconds, so 4 minutes at speed 20 are 80 minutes.

    ``instance_seconds`` are summed over the instances, ``vcpu_seconds`` is the CPU they really used.
    ``load_balancer_addresses``: an internet-facing ALB has one public IPv4 address per zone (AWS: at least two).
    ``monitored_instance_seconds`` are those with detailed monitoring. ``alarms`` stood all the time.
    """

    seconds: float
    instance_seconds: float
    instance_type: str = "t3.micro"
    vcpu_seconds: float = 0.0
    volume_gb: float = 8.0
    load_balancers: int = 1
    load_balancer_addresses: int = 2
    new_connections: float = 0
    processed_bytes: float = 0
    read_units: float = 0.0
    write_units: float = 0.0
    monitored_instance_seconds: float = 0.0
    alarms: int = 0


def estimate(usage: Usage, region: str = PRICED_REGION, prices: PriceList | None = None) -> Bill:
    """The bill of ``usage``, to the second; AWS has a minimum of 60 s per instance and bills the ALB in whole hours.

    ``prices`` default to the packaged ones of ``region``. Raises UsageError for a region or an instance type without.
    """
    chosen = prices or price_list(region)
    if usage.instance_type not in chosen.instance_types():
        known = ", ".join(chosen.instance_types())
        raise UsageError(f"No price is recorded for {usage.instance_type} in {chosen.region}. Known: {known}")
    return bill(uses(usage, chosen.baselines), chosen, usage.seconds)


def running(instances: int, instance_type: str = "t3.micro", hours: float = 1.0) -> Usage:
    """The design at rest: ``instances`` with detailed monitoring behind one load balancer, the policy's two alarms."""
    seconds = instances * hours * HOUR
    return Usage(hours * HOUR, seconds, instance_type, monitored_instance_seconds=seconds, alarms=2)


def alone(instance_type: str = "t3.micro", hours: float = 1.0) -> Usage:
    """Session 1: one instance with basic monitoring, nothing in front of it."""
    return Usage(hours * HOUR, hours * HOUR, instance_type, load_balancers=0, load_balancer_addresses=0)


def bill(uses: Iterable[Use], prices: PriceList, seconds: float) -> Bill:
    """A line per use. What has no price, or no quantity, stays as a line that says so."""
    lines = []
    for use in uses:
        price = prices.price(use.price)
        amount = None if use.quantity is None else price.amount(use.quantity)
        note = use.note
        if use.quantity is None:
            note = f"not measured: {use.note}"
        elif amount is None:
            note = "; ".join(filter(None, (f"not priced: {price.why_not}", use.note)))
        each = price.per_unit(use.quantity or 0.0)
        line = BillLine(use.what, use.quantity, use.unit, each, amount, price.source, price.recorded, use.of, note)
        lines.append(line)
    return Bill(prices.region, prices.recorded, prices.origin, seconds, tuple(lines))


def together(*parts: Iterable[Use]) -> tuple[Use, ...]:
    """One use per price: quantities added, resources joined; unmeasured once is unmeasured."""
    found: dict[str, Use] = {}
    for use in (use for part in parts for use in part):
        known = found.get(use.price)
        if known is None:
            found[use.price] = use
            continue
        unknown = known.quantity is None or use.quantity is None
        quantity = None if unknown else (known.quantity or 0.0) + (use.quantity or 0.0)
        of = tuple(dict.fromkeys((*known.of, *use.of)))
        found[use.price] = replace(known, quantity=quantity, of=of, note=known.note or use.note)
    return tuple(found.values())


def uses(usage: Usage, baselines: Mapping[str, float]) -> tuple[Use, ...]:
    """A usage as uses, all of them, also those of quantity 0."""
    hours, instance_hours = usage.seconds / HOUR, usage.instance_seconds / HOUR
    monitored = usage.monitored_instance_seconds / HOUR
    addresses = instance_hours + hours * usage.load_balancers * usage.load_balancer_addresses
    surplus = surplus_hours(usage.vcpu_seconds, usage.instance_seconds, baselines.get(usage.instance_type, 0.0))
    active = usage.new_connections and usage.new_connections / usage.seconds * 60
    return (
        Use(f"{INSTANCE_HOUR}/{usage.instance_type}", instance_hours),
        Use("surplus_vcpu_hour", surplus),
        Use("gp3_gb_month", usage.volume_gb * instance_hours / MONTH_HOURS),
        Use("public_ipv4_hour", addresses),
        Use("load_balancer_hour", hours * usage.load_balancers),
        Use("lcu_hour", lcu_hours(hours, usage.new_connections, active, usage.processed_bytes)),
        Use("dynamodb_million_wru", usage.write_units / 1e6),
        Use("dynamodb_million_rru", usage.read_units / 1e6),
        Use("metric_month", DETAILED_METRICS * monitored / MONTH_HOURS),
        Use("alarm_month", usage.alarms * hours / MONTH_HOURS),
        Use("transfer_out_gb", usage.processed_bytes / 1e9, note="at most: what came in is counted too"),
    )


def surplus_hours(vcpu_seconds: float, instance_seconds: float, baseline: float) -> float:
    """vCPU-hours used above what was earned.

    AWS, T3 unlimited: no launch credits; what was used above what was earned is charged when the instance ends. Over
    several instances together one that idles pays for one that works, which AWS does not do: never too high.
    """
    return max(0.0, vcpu_seconds - instance_seconds * VCPUS * baseline) / HOUR


def lcu_hours(hours: float, new_connections: float, active_connections: float, processed_bytes: float) -> float:
    """Capacity units over the time, as AWS sizes an hour: the largest dimension of its averages.

    25 new connections/s; 3,000 active connections (``active_connections`` is their average per minute); 1 GB/h. Rule
    evaluations are free with fewer than ten rules.
    """
    return max(new_connections / HOUR / 25, active_connections * hours / 3000, processed_bytes / 1e9)
