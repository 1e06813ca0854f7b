"""Envoy's health-check event log. Pure.

A passed check is one line: ``add_healthy_event`` when it changed Envoy's mind, else ``successful_health_check_event``.
A failed one is ``health_check_failure_event``, with ``eject_unhealthy_event`` beside it when it changed Envoy's mind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from groundschool.cloud.network.envoy.target_health import CheckResult

_FAILURES = {
    "ACTIVE": CheckResult.WRONG_CODE,
    "NETWORK_TIMEOUT": CheckResult.TIMED_OUT,
    "NETWORK": CheckResult.NO_CONNECTION,
}


@dataclass(frozen=True)
class HealthEvent:
    """One check of one target, by the address it is registered with."""

    target_group_arn: str
    address: str
    port: int
    result: CheckResult
    code: int | None = None
    """The wrong HTTP status."""


def health_event(line: bytes) -> HealthEvent | None:
    """The check a line tells of; None for a line that only repeats another (an ejection)."""
    entry: dict[str, Any] = orjson.loads(line)
    code = None
    if "successful_health_check_event" in entry or "add_healthy_event" in entry:
        result = CheckResult.PASSED
    elif failure := entry.get("health_check_failure_event"):
        result = _FAILURES[failure["failure_type"]]
        code = failure["http_status_code"] or None
    else:
        return None
    where = entry["host"]["socket_address"]
    return HealthEvent(entry["cluster_name"], where["address"], where["port_value"], result, code)
