"""Measures the lab once per lab minute, publishes the metrics, and has the alarms evaluated."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.autoscaling.service import AutoScaling
from groundschool.cloud.compute.instance_type import cpu_utilization
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.load_balancing.registry import TargetRegistry, load_balancers_by_target_group
from groundschool.cloud.monitoring.alarms import AlarmBook
from groundschool.cloud.monitoring.connections import Connections, connection_metrics
from groundschool.cloud.monitoring.consumed_capacity import ConsumedCapacity
from groundschool.cloud.monitoring.metric_store import MetricStore
from groundschool.cloud.monitoring.publish import (
    BASIC_PERIOD,
    InstanceUse,
    TargetGroupHosts,
    group_metrics,
    instance_metrics,
    is_due,
    load_balancer_metrics,
)
from groundschool.cloud.network.data_plane import DataPlane, HealthState, Traffic
from groundschool.cloud.passive.balancer_records import BalancerRecords
from groundschool.errors import LabError

log = logging.getLogger(__name__)

MINUTE = 60.0
"""Lab seconds."""


@dataclass
class _Meter:
    """What one instance uses. Real seconds, because processes spend real CPU time."""

    used: float
    at: float
    launched_minute: int
    minutes: deque[float] = field(default_factory=lambda: deque(maxlen=BASIC_PERIOD))
    traffic: deque[Traffic] = field(default_factory=lambda: deque(maxlen=BASIC_PERIOD))


class Monitor:
    """Called under the lab's lock only."""

    def __init__(
        self,
        clock: Clock,
        store: MetricStore,
        alarms: AlarmBook,
        instances: Instances,
        registry: TargetRegistry,
        balancers: BalancerRecords,
        data_plane: DataPlane,
        consumed: Callable[[], list[dict[str, Any]]],
    ) -> None:
        """``consumed`` asks the DynamoDB store's meter; it may raise LabError."""
        self._clock = clock
        self._store = store
        self._alarms = alarms
        self._instances = instances
        self._registry = registry
        self._balancers = balancers
        self._data_plane = data_plane
        self._consumed = consumed
        self._capacity = ConsumedCapacity()
        self._connections = Connections()
        self._minute = 0
        self._meters: dict[str, _Meter] = {}

    def step(self, now: float, autoscaling: AutoScaling) -> None:
        """Does nothing until the next lab minute is over."""
        self._meet_new_instances()
        minute = int(now // MINUTE)
        if minute <= self._minute:
            return
        over, self._minute = minute - 1, minute
        at = over * MINUTE
        used = self._measure(over, now, autoscaling)
        self._store.put(instance_metrics(used, at))
        self._store.put(group_metrics(autoscaling.group_metrics(), at))
        zones = {each.instance_id: each.subnet.availability_zone for each in self._instances.select(())}
        requests = self._data_plane.take_requests()
        self._store.put(load_balancer_metrics(requests, self._hosts(zones), zones, at))
        self._store.put(connection_metrics(self._connections.count(requests, at), at))
        self._measure_tables(at)
        self._store.forget_before(now)
        self._alarms.evaluate(now)

    def cpu_percent(self, instance_id: str) -> float | None:
        """Of the last whole lab minute; None before the first."""
        meter = self._meters.get(instance_id)
        return meter.minutes[-1] if meter and meter.minutes else None

    def _running(self) -> list[Instance]:
        return [instance for instance in self._instances.live() if instance.state is State.RUNNING]

    def _meet_new_instances(self) -> None:
        running = {instance.instance_id: instance for instance in self._running()}
        for gone in set(self._meters) - set(running):
            del self._meters[gone]
        for instance_id in set(running) - set(self._meters):
            used = running[instance_id].machine.cpu_used_seconds()
            self._meters[instance_id] = _Meter(used, self._clock.monotonic(), self._minute)

    def _measure(self, minute: int, now: float, autoscaling: AutoScaling) -> list[InstanceUse]:
        members = {
            instance_id: name
            for name in autoscaling.group_names()
            for instance_id in autoscaling.metric_members(name, now)
        }
        found, traffic = [], self._data_plane.take_traffic()
        for instance in self._running():
            meter, real_now = self._meters[instance.instance_id], self._clock.monotonic()
            used = instance.machine.cpu_used_seconds()
            if real_now > meter.at:
                meter.minutes.append(cpu_utilization(used - meter.used, real_now - meter.at, instance.machine.cores))
            meter.used, meter.at = used, real_now
            meter.traffic.append(traffic.get(instance.instance_id, Traffic()))
            if not is_due(instance.detailed_monitoring, minute, meter.launched_minute):
                continue
            newest = slice(-1 if instance.detailed_monitoring else -BASIC_PERIOD, None)
            found.append(
                InstanceUse(
                    instance.instance_id,
                    list(meter.minutes)[newest],
                    members.get(instance.instance_id),
                    traffic=list(meter.traffic)[newest],
                )
            )
        return found

    def _measure_tables(self, at: float) -> None:
        """A store that does not answer is asked again a minute later: its meter only counts up."""
        try:
            counted = self._consumed()
        except LabError as error:
            log.warning("Consumed capacity is not measured in this minute: %s", error)
            return
        self._store.put(self._capacity.metrics(counted, at))

    def _hosts(self, zones: dict[str, str]) -> list[TargetGroupHosts]:
        hosts = []
        for arn, balancers in load_balancers_by_target_group(self._balancers).items():
            healthy: dict[str, int] = {}
            unhealthy: dict[str, int] = {}
            for each in self._registry.registrations(arn):
                state = self._registry.health(arn, each.instance_id, each.port).state
                zone = zones.get(each.instance_id, "")
                if state is HealthState.HEALTHY:
                    healthy[zone] = healthy.get(zone, 0) + 1
                elif state is HealthState.UNHEALTHY:
                    unhealthy[zone] = unhealthy.get(zone, 0) + 1
            hosts.append(TargetGroupHosts(arn, balancers, healthy, unhealthy))
        return hosts
