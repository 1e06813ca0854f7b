"""What the workshop's resources did, by CloudWatch metrics only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from groundschool.workshop.cost_found import Found, Table
from groundschool.workshop.world import CLIENT, World

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

HOUR, MINUTE = 3600, 60
PERIODS = (60, 300, 3600)
"""Seconds, the finest first: AWS keeps one-minute data for 15 days, five-minute data for 63."""

MOST_DATAPOINTS = 1440
"""AWS: in one answer of GetMetricStatistics."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Window:
    """From ``since`` to ``until``, real UTC. ``speed``: so many AWS seconds pass in one real second (1 on AWS)."""

    since: datetime
    until: datetime
    speed: float = 1.0

    @property
    def seconds(self) -> float:
        """Of AWS time."""
        return max(0.0, self.aws_seconds(self.since, self.until))

    def aws_seconds(self, start: datetime, end: datetime) -> float:
        return (end - start).total_seconds() * self.speed


@dataclass
class BalancerHour:
    """A load balancer in one hour. ``active_minutes`` is ActiveConnectionCount summed over the hour's minutes."""

    new_connections: float = 0.0
    active_minutes: float = 0.0
    processed_bytes: float = 0.0


@dataclass(frozen=True)
class Traffic:
    """Measured; what could not be read is None, and ``why_not`` has the reason.

    In the lab the counts are of requests that really came; a bill at AWS's time takes them times the speed: the same
    rate for as long as the lab's clock says. ``cpu``: instance id -> average per cent.
    """

    hours: tuple[BalancerHour, ...] | None = ()
    read_units: float | None = 0.0
    write_units: float | None = 0.0
    cpu: dict[str, float] | None = field(default_factory=dict)
    why_not: str = ""


def measure(world: World, found: Found, window: Window) -> Traffic:
    """Reads the metrics of what was found; a refused call leaves its part unmeasured."""
    cloudwatch = world.session.client("cloudwatch", config=CLIENT)
    try:
        return Traffic(
            hours=_balancer_hours(cloudwatch, found, window),
            read_units=_units(cloudwatch, found.tables, "ConsumedReadCapacityUnits", window),
            write_units=_units(cloudwatch, found.tables, "ConsumedWriteCapacityUnits", window),
            cpu=_cpu(cloudwatch, found, window),
        )
    except (ClientError, BotoCoreError) as error:
        return Traffic(None, None, None, None, f"CloudWatch did not answer ({error})")


def period_for(seconds: float) -> int:
    """Pure. The finest period whose datapoints for so many AWS seconds fit into one answer."""
    return next((period for period in PERIODS if seconds / period <= MOST_DATAPOINTS - 1), PERIODS[-1])


def by_hour(series: Iterable[tuple[datetime, float]], window: Window) -> dict[int, float]:
    """Pure. Sums by hour since the window began."""
    hours: dict[int, float] = defaultdict(float)
    for at, value in series:
        hours[int(max(0.0, window.aws_seconds(window.since, at)) // HOUR)] += value
    return hours


def _balancer_hours(cloudwatch: CloudWatchClient, found: Found, window: Window) -> tuple[BalancerHour, ...]:
    hours: dict[int, BalancerHour] = defaultdict(BalancerHour)
    for balancer in found.balancers:
        of = (("LoadBalancer", balancer.arn.split(":loadbalancer/")[-1]),)

        def sums(metric: str, of: Dimensions = of) -> dict[int, float]:
            return by_hour(_series(cloudwatch, "AWS/ApplicationELB", metric, of, window, "Sum"), window)

        for hour, count in sums("NewConnectionCount").items():
            hours[hour].new_connections += count * window.speed
        for hour, count in sums("ActiveConnectionCount").items():
            hours[hour].active_minutes += count
        for hour, size in sums("ProcessedBytes").items():
            hours[hour].processed_bytes += size * window.speed
    return tuple(hours[hour] for hour in sorted(hours))


def _units(cloudwatch: CloudWatchClient, tables: tuple[Table, ...], metric: str, window: Window) -> float:
    total = 0.0
    for table in tables:
        places: list[Dimensions] = [(("TableName", table.name),)]
        places += [(("TableName", table.name), ("GlobalSecondaryIndexName", index)) for index in table.indexes]
        for place in places:
            total += sum(value for _, value in _series(cloudwatch, "AWS/DynamoDB", metric, place, window, "Sum"))
    return total * window.speed


def _cpu(cloudwatch: CloudWatchClient, found: Found, window: Window) -> dict[str, float]:
    """An instance too young for a datapoint is left out."""
    found_cpu = {}
    for run in found.instances:
        if run.ended is not None and run.ended < window.since:
            continue
        of = (("InstanceId", run.instance_id),)
        values = [value for _, value in _series(cloudwatch, "AWS/EC2", "CPUUtilization", of, window, "Average")]
        if values:
            found_cpu[run.instance_id] = sum(values) / len(values)
    return found_cpu


def _series(
    cloudwatch: CloudWatchClient,
    namespace: str,
    metric: str,
    dimensions: Dimensions,
    window: Window,
    statistic: Literal["Sum", "Average"],
) -> list[tuple[datetime, float]]:
    if window.seconds <= 0:
        return []
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
        StartTime=window.since,
        EndTime=window.until,
        Period=period_for(window.seconds),
        Statistics=[statistic],
    )
    return [(point["Timestamp"], float(point[statistic])) for point in answer["Datapoints"]]
