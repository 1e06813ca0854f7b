"""The facts of one lab minute as metric data, under AWS's namespaces, names, dimensions and units.

Pure: who measures passes the facts, and puts what comes back. Times are lab seconds, ``at`` is the start of the minute.
AWS: the metric tables of the EC2, Application Load Balancer and EC2 Auto Scaling user guides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey
from groundschool.cloud.network.data_plane import RequestRecord, Traffic

EC2 = "AWS/EC2"
ALB = "AWS/ApplicationELB"
AUTO_SCALING = "AWS/AutoScaling"

BASIC_PERIOD = 5
"""Minutes between the datapoints of an instance with basic monitoring."""
ELB_CODES_OF_THEIR_OWN = frozenset({500, 502, 503, 504})
"""Statuses made by a load balancer that have a metric each, besides that of their class."""
OF_TARGET_GROUPS = ("RequestCount", "HTTPCode_Target")
"""The beginnings of the metrics that also exist by target group; the others are the load balancer's own."""


@dataclass(frozen=True)
class InstanceUse:
    """What an instance used in its last minutes, newest last: one is enough with detailed monitoring, five with basic.

    ``group_name`` is None outside a group. ``warming`` instances are left out of the group's metrics.
    """

    instance_id: str
    cpu: Sequence[float]
    """Averages in percent of all its vCPUs."""
    group_name: str | None = None
    warming: bool = False
    traffic: Sequence[Traffic] = ()


def is_due(detailed: bool, minute: int, launched_minute: int) -> bool:
    """Whether an instance publishes at the end of ``minute``: with basic monitoring every fifth after its launch."""
    return detailed or (minute - launched_minute + 1) % BASIC_PERIOD == 0


def instance_metrics(instances: Iterable[InstanceUse], at: float) -> list[MetricData]:
    """``CPUUtilization``, ``NetworkIn`` and ``NetworkOut`` by InstanceId and by AutoScalingGroupName, if due.

    A datapoint stands in the last of the minutes it covers (U: where in its five minutes AWS places basic
    monitoring's; this way the real runs with basic monitoring come out).
    """
    data: list[MetricData] = []
    groups: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for instance in instances:
        for metric, unit, value in _used(instance):
            data.append(_data(EC2, metric, {"InstanceId": instance.instance_id}, at, [value], unit))
            if instance.group_name is not None and not instance.warming:
                groups[instance.group_name, metric, unit].append(value)
    for (name, metric, unit), values in groups.items():
        data.append(_data(EC2, metric, {"AutoScalingGroupName": name}, at, values, unit))
    return data


def _used(instance: InstanceUse) -> Iterable[tuple[str, str, float]]:
    """(metric, unit, value). AWS: a datapoint of NetworkIn is the number of bytes of its whole period."""
    if instance.cpu:
        yield "CPUUtilization", "Percent", sum(instance.cpu) / len(instance.cpu)
    if instance.traffic:
        yield "NetworkIn", "Bytes", sum(minute.received for minute in instance.traffic)
        yield "NetworkOut", "Bytes", sum(minute.sent for minute in instance.traffic)


def group_metrics(groups: Mapping[str, Mapping[str, int]], at: float) -> list[MetricData]:
    """Group name -> (metric name -> value), for the metrics that the group has enabled."""
    return [
        _data(AUTO_SCALING, metric, {"AutoScalingGroupName": group}, at, [value], "None")
        for group, metrics in groups.items()
        for metric, value in metrics.items()
    ]


@dataclass(frozen=True)
class TargetGroupHosts:
    """How many registered targets are healthy and unhealthy, by Availability Zone; ARNs as everywhere."""

    target_group: str
    load_balancers: tuple[str, ...]
    healthy: Mapping[str, int] = field(default_factory=dict)
    unhealthy: Mapping[str, int] = field(default_factory=dict)


def load_balancer_metrics(
    requests: Iterable[RequestRecord], hosts: Iterable[TargetGroupHosts], zones: Mapping[str, str], at: float
) -> list[MetricData]:
    """The minute's requests and target health. ``zones``: instance id -> Availability Zone.

    What counts requests is published only when there were some; ``RequestCountPerTarget`` and the host counts always:
    AWS reports their zeros, and a policy on requests could never scale in without. RequestCountPerTarget divides by the
    healthy targets, by all when none is healthy.
    """
    counts: Counter[tuple[str, Dimensions, str]] = Counter()
    times: dict[Dimensions, Counter[float]] = defaultdict(Counter)
    per_group: Counter[str] = Counter()
    for kind, tally in _tallies(requests).items():
        for metric, unit, amount in _counted(kind, tally):
            for dimensions in _dimensions(kind, zones, with_target_group=metric.startswith(OF_TARGET_GROUPS)):
                counts[metric, dimensions, unit] += amount
        if kind.target_group is not None and kind.instance_id is not None:
            per_group[kind.target_group] += tally.requests
        if kind.from_target:
            for dimensions in _dimensions(kind, zones, with_target_group=True):
                times[dimensions].update(tally.seconds)
    data = [_data(ALB, metric, dict(d), at, [total], unit) for (metric, d, unit), total in counts.items()]
    for dimensions, seconds in times.items():
        key = MetricKey(ALB, "TargetResponseTime", frozenset(dimensions))
        data.append(MetricData(key, at, tuple(seconds), tuple(map(float, seconds.values())), "Seconds"))
    for group in hosts:
        data += _host_metrics(group, per_group[group.target_group], at)
    return data


Dimensions = tuple[tuple[str, str], ...]


class _Kind(NamedTuple):
    """Requests that are counted alike."""

    load_balancer: str
    target_group: str | None
    instance_id: str | None
    status: int
    from_target: bool
    rule_action: str | None


@dataclass
class _Tally:
    requests: int = 0
    transferred: int = 0
    seconds: Counter[float] = field(default_factory=Counter)


def _tallies(requests: Iterable[RequestRecord]) -> dict[_Kind, _Tally]:
    """A minute has many thousand requests but few kinds: names and dimensions are made once per kind."""
    tallies: dict[_Kind, _Tally] = defaultdict(_Tally)
    for request in requests:
        kind = _Kind(
            request.load_balancer,
            request.target_group,
            request.instance_id,
            request.status,
            request.from_target,
            request.rule_action,
        )
        tally = tallies[kind]
        tally.requests += 1
        tally.transferred += request.received_bytes + request.sent_bytes
        tally.seconds[request.seconds] += 1
    return tallies


def suffix(arn: str) -> str:
    """What stands for an ARN in dimensions: ``app/<name>/<id>`` or ``targetgroup/<name>/<id>``."""
    resource = arn.split(":", 5)[-1]
    return resource.removeprefix("loadbalancer/")


def _counted(kind: _Kind, tally: _Tally) -> list[tuple[str, str, int]]:
    """(metric, unit, amount) that these requests add. RequestCount needs a chosen target, as AWS has it."""
    found = [("ProcessedBytes", "Bytes", tally.transferred)]
    family, number = f"{kind.status // 100}XX", tally.requests
    if kind.instance_id is not None:
        found.append(("RequestCount", "Count", number))
    if kind.from_target:
        found.append((f"HTTPCode_Target_{family}_Count", "Count", number))
    elif kind.rule_action == "fixed-response":
        found.append(("HTTP_Fixed_Response_Count", "Count", number))
    elif kind.rule_action == "redirect":
        found += [("HTTP_Redirect_Count", "Count", number), ("HTTPCode_ELB_3XX_Count", "Count", number)]
    elif kind.status >= 300:
        found.append((f"HTTPCode_ELB_{family}_Count", "Count", number))
        if kind.status in ELB_CODES_OF_THEIR_OWN:
            found.append((f"HTTPCode_ELB_{kind.status}_Count", "Count", number))
    return found


def _dimensions(kind: _Kind, zones: Mapping[str, str], with_target_group: bool) -> list[Dimensions]:
    """The load balancer; it in one zone; with the target group; all three. As far as they are known."""
    balancer = (("LoadBalancer", suffix(kind.load_balancer)),)
    zone = zones.get(kind.instance_id) if kind.instance_id is not None else None
    zoned = [(("AvailabilityZone", zone),)] if zone is not None else []
    group = [(("TargetGroup", suffix(kind.target_group)),)] if kind.target_group and with_target_group else []
    return [
        balancer,
        *(z + balancer for z in zoned),
        *(balancer + g for g in group),
        *(z + balancer + g for z in zoned for g in group),
    ]


def _host_metrics(group: TargetGroupHosts, requests: int, at: float) -> list[MetricData]:
    name = suffix(group.target_group)
    places: list[dict[str, str]] = [{"LoadBalancer": suffix(arn), "TargetGroup": name} for arn in group.load_balancers]
    healthy, unhealthy = sum(group.healthy.values()), sum(group.unhealthy.values())
    data = []
    for place in places:
        data.append(_data(ALB, "HealthyHostCount", place, at, [healthy], "Count"))
        data.append(_data(ALB, "UnHealthyHostCount", place, at, [unhealthy], "Count"))
        for zone in sorted({*group.healthy, *group.unhealthy}):
            there = {**place, "AvailabilityZone": zone}
            data.append(_data(ALB, "HealthyHostCount", there, at, [group.healthy.get(zone, 0)], "Count"))
            data.append(_data(ALB, "UnHealthyHostCount", there, at, [group.unhealthy.get(zone, 0)], "Count"))
    targets = healthy or unhealthy
    if targets and places:
        share = [requests / targets]
        data += [_data(ALB, "RequestCountPerTarget", p, at, share, "None") for p in ({"TargetGroup": name}, *places)]
    return data


def _data(
    namespace: str, name: str, dimensions: Mapping[str, str], at: float, values: Sequence[float], unit: str
) -> MetricData:
    key = MetricKey(namespace, name, frozenset(dimensions.items()))
    return MetricData(key, at, tuple(float(value) for value in values), unit=unit)
