"""Where connections go: Envoy's clusters (CDS) and the target groups' endpoints (EDS). Pure.

An interface's inner side is a STATIC cluster; only target groups have an EDS file, because every file that Envoy
watches costs an inotify instance, of which a user has 128 on Linux, and Envoy aborts without one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from groundschool.cloud.network.envoy.durations import duration, real_period, real_timeout
from groundschool.cloud.network.envoy.target_health import TargetKey
from groundschool.cloud.network.plan import (
    Algorithm,
    Forward,
    HealthCheck,
    Interface,
    LoadBalancer,
    NetworkPlan,
    Target,
    TargetGroup,
)

Document = dict[str, Any]

HEALTH_EVENTS = "health-events.json"
CONNECT_TIMEOUT = 10.0
"""AWS: an Application Load Balancer gives a target 10 s to accept a connection."""
HOP_TIMEOUT = 120.0
"""Real seconds from an interface to its instance: never before the balancer's own time-outs, so that those decide what
a hung instance looks like (Target.Timeout, 504)."""
UPSTREAM_LIFE = 1.5
"""Real seconds after which a connection to a target is closed, at once when idle, else after its request.

Shorter than the keep-alive of the usual app servers (gunicorn 2 s, Node and uvicorn 5 s), so that the balancer closes
first. Else the target may close in the moment in which a request is sent, and that request is lost: AWS's balancer
keeps 60 s, and this is its best-known source of 502s. Besides, what changed in front of a target (its security groups,
a fault) soon holds for all requests. Not an idle time-out: Envoy takes that for the longest a health check may last."""
UNLIMITED = 1_000_000_000

_API = "type.googleapis.com/envoy"


def path_name(arn: str) -> str:
    """An ARN's resource as a file name: ``targetgroup.web.50dc6c495c0c9188``."""
    return re.sub(r"[^\w-]+", ".", arn.rsplit(":", 1)[-1])


def endpoints_path(target_group: TargetGroup) -> str:
    return f"xds/eds/{path_name(target_group.arn)}/endpoints.json"


def interface_name(interface: Interface, port: int) -> str:
    """The name of an interface's listener and of its cluster."""
    return f"interface/{interface.instance_id}/{port}"


def balancers_in_use(plan: NetworkPlan) -> dict[str, LoadBalancer]:
    """Target group ARN -> the balancer that forwards to it. AWS allows a group one balancer; the first counts."""
    found: dict[str, LoadBalancer] = {}
    for balancer in plan.load_balancers:
        for listener in balancer.listeners:
            for action in (listener.default_action, *(rule.action for rule in listener.rules)):
                if isinstance(action, Forward):
                    for arn, _weight in action.target_groups:
                        found.setdefault(arn, balancer)
    return found


def clusters(plan: NetworkPlan, speed: float) -> list[Document]:
    """All of CDS. A target group without a balancer has no cluster: AWS does not check it either."""
    balancers = balancers_in_use(plan)
    groups = [
        _group_cluster(group, balancers[group.arn], speed) for group in plan.target_groups if group.arn in balancers
    ]
    inner = [
        _inner_cluster(interface, open_port.port) for interface in plan.interfaces for open_port in interface.ports
    ]
    return groups + inner


@dataclass(frozen=True)
class Reserve:
    """Which registered targets Envoy is not to use as it sees fit."""

    held_back: frozenset[TargetKey] = frozenset()
    """Unhealthy by AWS's thresholds, though Envoy may have seen one passed check."""
    arriving: frozenset[str] = frozenset()
    """Addresses of interfaces that may not listen yet: a check now would fail, and the next is an interval away."""


def endpoints(group: TargetGroup, reserve: Reserve) -> Document:
    """One group's ClusterLoadAssignment.

    A draining target is left out: Envoy then finishes what runs on it and sends nothing new. (Marking it DRAINING does
    the same, except in panic mode, in which Envoy would send new requests to it.)
    """
    present = [target for target in group.targets if not target.draining and target.address not in reserve.arriving]
    return {
        "@type": f"{_API}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": group.arn,
        "endpoints": [{"lb_endpoints": [_endpoint(group, target, reserve.held_back) for target in present]}],
    }


def _endpoint(group: TargetGroup, target: Target, held_back: Collection[TargetKey]) -> Document:
    key = TargetKey(group.arn, target.instance_id, target.port)
    check: Document = {"hostname": f"{target.address}:{group.health_check.port or target.port}"}
    if group.health_check.port is not None:
        check["port_value"] = group.health_check.port
    return {
        "endpoint": {"address": socket_address(target.address, target.port), "health_check_config": check},
        "health_status": "UNHEALTHY" if key in held_back else "UNKNOWN",
        "metadata": {"filter_metadata": {"target": {"instance_id": target.instance_id}}},
    }


def socket_address(address: str, port: int) -> Document:
    return {"socket_address": {"address": address, "port_value": port}}


def _inner_cluster(interface: Interface, port: int) -> Document:
    name = interface_name(interface, port)
    endpoint = {"endpoint": {"address": socket_address(interface.inner_address, port)}}
    return {
        "@type": f"{_API}.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": duration(HOP_TIMEOUT),
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": _no_limits(),
    }


def _group_cluster(group: TargetGroup, balancer: LoadBalancer, speed: float) -> Document:
    return {
        "@type": f"{_API}.config.cluster.v3.Cluster",
        "name": group.arn,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"path_config_source": {"path": endpoints_path(group)}, "resource_api_version": "V3"}
        },
        "connect_timeout": duration(real_timeout(CONNECT_TIMEOUT, speed)),
        "load_balancing_policy": {"policies": [{"typed_extension_config": _policy(group, speed)}]},
        "common_lb_config": {
            # 1 % is below one healthy target of any group in the lab: fail-open exactly when none is healthy.
            "healthy_panic_threshold": {"value": 1},
            "update_merge_window": "0s",
            # AWS sends nothing to a target in the initial state.
            "ignore_new_hosts_until_first_hc": True,
        },
        "ignore_health_on_host_removal": True,
        # Health checks use it too, so that a security group sees the balancer's own address in both.
        "upstream_bind_config": {"source_address": {"address": balancer.address, "port_value": 0}},
        "health_checks": [_health_check(group.health_check, speed)],
        "circuit_breakers": _no_limits(),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_API}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"max_connection_duration": duration(UPSTREAM_LIFE)},
                "explicit_http_config": {"http_protocol_options": {"header_key_format": preserve_case()}},
            }
        },
    }


def _policy(group: TargetGroup, speed: float) -> Document:
    window = real_period(group.slow_start, speed)
    slow_start = {"slow_start_config": {"slow_start_window": duration(window)}} if group.slow_start else {}
    if group.algorithm is Algorithm.LEAST_OUTSTANDING_REQUESTS:
        name = "least_request"
        # All targets are compared, not two drawn at random: the lab's groups are small, and its tests exact.
        config: Document = {"@type": _policy_type(name, "LeastRequest"), "selection_method": "FULL_SCAN"}
    else:
        name = "round_robin"
        config = {"@type": _policy_type(name, "RoundRobin"), **slow_start}
    return {"name": f"envoy.load_balancing_policies.{name}", "typed_config": config}


def _policy_type(name: str, message: str) -> str:
    return f"{_API}.extensions.load_balancing_policies.{name}.v3.{message}"


def _health_check(check: HealthCheck, speed: float) -> Document:
    interval = duration(real_period(check.interval, speed))
    return {
        "timeout": duration(real_timeout(check.timeout, speed)),
        "interval": interval,
        "no_traffic_interval": interval,
        # target_health.py counts; see there why Envoy believes every passed check.
        "healthy_threshold": 1,
        "unhealthy_threshold": check.unhealthy_threshold,
        # A kept connection that the target closed meanwhile would be counted as a failed check.
        "reuse_connection": False,
        "always_log_health_check_failures": True,
        "always_log_health_check_success": True,
        "event_logger": [
            {
                "name": "envoy.health_check.event_sinks.file",
                "typed_config": {
                    "@type": f"{_API}.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
                    "event_log_path": HEALTH_EVENTS,
                },
            }
        ],
        "http_health_check": {
            "path": check.path,
            "expected_statuses": [{"start": low, "end": high + 1} for low, high in matcher_ranges(check.matcher)],
            # Without it one wrong status makes a host unhealthy, whatever the threshold.
            "retriable_statuses": [{"start": 100, "end": 600}],
            "request_headers_to_add": [set_header("User-Agent", "ELB-HealthChecker/2.0")],
        },
    }


def matcher_ranges(matcher: str) -> list[tuple[int, int]]:
    """AWS's ``Matcher.HttpCode`` (``200``, ``200,202``, ``200-299``) as inclusive ranges."""
    ranges = []
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        ranges.append((int(low), int(high or low)))
    return ranges


def set_header(name: str, value: str) -> Document:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def preserve_case() -> Document:
    """Header names pass as they were written; those that Envoy adds look like AWS's (``X-Forwarded-For``)."""
    return {
        "stateful_formatter": {
            "name": "preserve_case",
            "typed_config": {
                "@type": f"{_API}.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
                "formatter_type_on_envoy_headers": "PROPER_CASE",
            },
        }
    }


def _no_limits() -> Document:
    # Envoy's default of 1,024 connections or requests per cluster would show as 503s that AWS does not make.
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {"thresholds": [dict.fromkeys(limits, UNLIMITED)]}
