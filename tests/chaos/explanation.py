"""Why each failed request failed, from the load balancer's access log and the wounds that were dealt. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groundschool.cloud.network.envoy.access_log import CLIENT_LEFT, request_record

NO_HEALTHY_TARGET = "no target was healthy (503, or fail-open to a broken one)"
UNEXPLAINED = "UNEXPLAINED"
RECOVERY = 3.0
"""Real seconds in which an instance that was mended may still answer late."""


@dataclass(frozen=True)
class Request:
    """One line of the balancer's access log. Unix time."""

    started: float
    finished: float
    instance_id: str | None
    status: int
    from_target: bool


def logged(line: bytes) -> Request:
    record = request_record(line)
    started = float(json.loads(line)["started"])
    return Request(started, record.finished_at, record.instance_id, record.status, record.from_target)


@dataclass
class Wound:
    """``since`` and ``until`` in Unix time; until None: never mended."""

    instance_id: str
    kind: str
    since: float
    until: float | None = None

    def explains(self, request: Request) -> bool:
        """It was in flight when the blow came, or was sent before the balancer knew."""
        mended = self.until is not None and request.started > self.until + RECOVERY
        return request.instance_id == self.instance_id and request.finished >= self.since and not mended


@dataclass(frozen=True)
class HealthSample:
    at: float
    """Unix time."""
    healthy: int


def explain(requests: Iterable[Request], wounds: Sequence[Wound], samples: Sequence[HealthSample]) -> Counter[str]:
    """Failed requests by class; what nothing explains is counted as :data:`UNEXPLAINED` with its status."""
    found: Counter[str] = Counter()
    for request in requests:
        if request.status >= 500 or request.status == CLIENT_LEFT:
            found[_class(request, wounds, samples)] += 1
    return found


def _class(request: Request, wounds: Sequence[Wound], samples: Sequence[HealthSample]) -> str:
    for wound in wounds:
        if wound.explains(request):
            return f"{request.status} on an instance after: {wound.kind}"
    near = [sample.healthy for sample in samples if abs(sample.at - request.finished) < 2.0]
    if request.instance_id is None or (near and min(near) == 0):
        return NO_HEALTHY_TARGET
    who = "the app" if request.from_target else "the load balancer"
    return f"{UNEXPLAINED}: {request.status} by {who} for {request.instance_id}"
