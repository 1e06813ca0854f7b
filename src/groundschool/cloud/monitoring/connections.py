"""A load balancer's connections, counted by the requests that came through them.

AWS: Application Load Balancer user guide, CloudWatch metrics: ``NewConnectionCount`` and ``ActiveConnectionCount``
count TCP connections from clients and to targets together. Here a connection that never carried a request is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey
from groundschool.cloud.monitoring.publish import ALB, suffix
from groundschool.cloud.network.data_plane import RequestRecord

FORGOTTEN_AFTER = 3600.0
"""Lab seconds: AWS closes a client's connection that was idle for so long."""


@dataclass(frozen=True)
class ConnectionCount:
    """Of one load balancer in one minute; ``active`` carried at least one request, ``new`` their first."""

    active: int
    new: int


class Connections:
    """Remembers which connections were seen before."""

    def __init__(self) -> None:
        self._last_used: dict[tuple[str, str, int], float] = {}

    def count(self, requests: Iterable[RequestRecord], at: float) -> dict[str, ConnectionCount]:
        """By load balancer ARN, for the minute that starts at ``at`` (lab seconds)."""
        used = {
            (request.load_balancer, side, number)
            for request in requests
            for side, number in (("client", request.connection), ("target", request.target_connection))
            if number is not None
        }
        active = Counter(balancer for balancer, _, _ in used)
        new = Counter(key[0] for key in used if key not in self._last_used)
        self._last_used |= dict.fromkeys(used, at)
        if any(at - last > FORGOTTEN_AFTER for last in self._last_used.values()):
            self._last_used = {key: last for key, last in self._last_used.items() if at - last <= FORGOTTEN_AFTER}
        return {balancer: ConnectionCount(active[balancer], new[balancer]) for balancer in active}


def connection_metrics(counts: Mapping[str, ConnectionCount], at: float) -> list[MetricData]:
    """Pure. Published by load balancer only, as AWS does, and only in minutes with requests."""
    data = []
    for balancer, count in counts.items():
        dimensions = frozenset({("LoadBalancer", suffix(balancer))})
        for name, value in (("ActiveConnectionCount", count.active), ("NewConnectionCount", count.new)):
            data.append(MetricData(MetricKey(ALB, name, dimensions), at, (float(value),), unit="Count"))
    return data
