"""Records of load balancers as values, without moto."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from groundschool.cloud.passive.balancer_records import (
    ListenerRecord,
    ListenerRule,
    LoadBalancerRecord,
    TargetGroupRecord,
)


def forward(*arns: str, weights: Sequence[int] = ()) -> dict[str, Any]:
    if len(arns) == 1 and not weights:
        return {"Type": "forward", "TargetGroupArn": arns[0]}
    pairs = zip(arns, weights or [1] * len(arns), strict=True)
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def rule(action: dict[str, Any], path: Sequence[str] = (), host: Sequence[str] = ()) -> ListenerRule:
    conditions: list[dict[str, Any]] = []
    if path:
        conditions.append({"Field": "path-pattern", "Values": list(path)})
    if host:
        conditions.append({"Field": "host-header", "HostHeaderConfig": {"Values": list(host)}})
    return ListenerRule(tuple(conditions), (action,))


def listener(action: dict[str, Any], *rules: ListenerRule, port: int = 80, protocol: str = "HTTP") -> ListenerRecord:
    return ListenerRecord(f"arn:listener/{port}", port, protocol, (action,), rules, None, None)


def balancer(*listeners: ListenerRecord, arn: str = "arn:lb", groups: Sequence[str] = ("sg-lb",)) -> LoadBalancerRecord:
    return LoadBalancerRecord(arn, "web", "web-1.eu-north-1.elb.localhost:8080", "vpc-1", tuple(groups), listeners, {})


def target_group(arn: str, **given: Any) -> TargetGroupRecord:
    fields: dict[str, Any] = {
        "name": arn.rpartition("/")[2],
        "port": 8080,
        "protocol": "HTTP",
        "target_type": "instance",
        "health_check_enabled": True,
        "health_check_path": "/health",
        "health_check_port": None,
        "health_check_protocol": "HTTP",
        "interval": 30.0,
        "timeout": 5.0,
        "healthy_threshold": 5,
        "unhealthy_threshold": 2,
        "matcher": "200",
        "attributes": {},
    }
    return TargetGroupRecord(arn, **(fields | given))
