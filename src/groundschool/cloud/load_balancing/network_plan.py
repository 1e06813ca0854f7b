"""From the lab's records to what the data plane shall do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.faults.book import NO_IMPAIRMENT, Impairment
from groundschool.cloud.load_balancing.registry import Registration
from groundschool.cloud.network.plan import (
    Action,
    Algorithm,
    FixedResponse,
    Forward,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancer,
    NetworkPlan,
    OpenPort,
    Redirect,
    Rule,
    Target,
    TargetGroup,
)
from groundschool.cloud.passive.balancer_records import (
    ListenerRecord,
    ListenerRule,
    LoadBalancerRecord,
    TargetGroupRecord,
)
from groundschool.cloud.passive.network_records import IngressRule, SecurityGroup

PORTS_OF_A_RANGE = 32
"""A rule for more ports than this opens only those that something is known to use: a listener a port has its price."""

WATCHED_PORTS = (22, 80, 443, 8080)
"""What a learner tries on an instance that no rule admits to: it must hang there, as on AWS, and not be refused."""


@dataclass(frozen=True)
class Seen:
    """Everything the plan is made from, at one moment."""

    instances: Sequence[Instance]
    security_groups: Mapping[str, SecurityGroup]
    balancers: Sequence[LoadBalancerRecord]
    balancer_addresses: Mapping[str, str]
    edge_ports: Mapping[str, int]
    """Listener ARN -> edge port."""
    target_groups: Mapping[str, TargetGroupRecord]
    registrations: Mapping[str, Sequence[Registration]]
    impairments: Mapping[str, Impairment]
    """Instance id -> what faults do to it."""
    listening: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Inner address -> the ports that something inside listens on."""
    watched_ports: tuple[int, ...] = ()
    """Those of WATCHED_PORTS that can be opened on this host."""


def network_plan(seen: Seen) -> NetworkPlan:
    sources = _Sources(seen)
    return NetworkPlan(
        interfaces=tuple(_interface(instance, seen, sources) for instance in seen.instances if instance.reachable),
        load_balancers=tuple(_load_balancer(record, seen, sources) for record in seen.balancers),
        target_groups=tuple(
            _target_group(record, seen) for record in seen.target_groups.values() if record.target_type == "instance"
        ),
    )


def hanging_where_open_before(plan: NetworkPlan, before: NetworkPlan | None) -> NetworkPlan:
    """A port whose last rule is gone drops packets, as on AWS; without its listener the laptop would refuse them."""
    known = (
        {each.instance_id: {open_port.port for open_port in each.ports} for each in before.interfaces} if before else {}
    )
    return replace(
        plan, interfaces=tuple(_with_shut(each, known.get(each.instance_id, set())) for each in plan.interfaces)
    )


def _with_shut(interface: Interface, ports: set[int]) -> Interface:
    shut = ports - {each.port for each in interface.ports}
    return replace(interface, ports=(*interface.ports, *(OpenPort(port, ()) for port in sorted(shut))))


class _Sources:
    """Who may connect: security group rules with group references turned into the members' addresses."""

    def __init__(self, seen: Seen) -> None:
        self._groups = seen.security_groups
        self._members: dict[str, set[str]] = {}
        for instance in seen.instances:
            if instance.reachable:
                self._join(instance.security_group_ids, instance.address)
        for record in seen.balancers:
            self._join(self.groups_of(record), seen.balancer_addresses[record.arn])

    def groups_of(self, record: LoadBalancerRecord) -> tuple[str, ...]:
        if record.security_group_ids:
            return record.security_group_ids
        return tuple(
            group.group_id for group in self._groups.values() if group.is_default and group.vpc_id == record.vpc_id
        )

    def rules(self, group_ids: Iterable[str]) -> list[IngressRule]:
        return [rule for group_id in group_ids if group_id in self._groups for rule in self._groups[group_id].ingress]

    def allowed(self, group_ids: Iterable[str], port: int) -> tuple[str, ...]:
        found: set[str] = set()
        for rule in self.rules(group_ids):
            if rule.protocol not in ("tcp", "-1") or not rule.from_port <= port <= rule.to_port:
                continue
            if rule.cidr:
                found.add(rule.cidr)
            elif rule.group_id:
                found |= {f"{address}/32" for address in self._members.get(rule.group_id, ())}
        return tuple(sorted(found))

    def _join(self, group_ids: Iterable[str], address: str) -> None:
        for group_id in group_ids:
            self._members.setdefault(group_id, set()).add(address)


def _interface(instance: Instance, seen: Seen, sources: _Sources) -> Interface:
    ports = {
        port
        for rule in sources.rules(instance.security_group_ids)
        if rule.protocol == "tcp" and rule.to_port - rule.from_port < PORTS_OF_A_RANGE
        for port in range(rule.from_port, rule.to_port + 1)
    }
    for arn, registrations in seen.registrations.items():
        record = seen.target_groups.get(arn)
        for each in registrations:
            if each.instance_id == instance.instance_id and record is not None:
                ports |= {each.port, record.health_check_port or each.port}
    ports |= {*seen.watched_ports, *seen.listening.get(instance.inner_address, ())}
    impairment = seen.impairments.get(instance.instance_id, NO_IMPAIRMENT)
    allowed = {port: sources.allowed(instance.security_group_ids, port) for port in sorted(ports)}
    return Interface(
        instance_id=instance.instance_id,
        address=instance.address,
        inner_address=instance.inner_address,
        ports=tuple(OpenPort(port, () if impairment.cut_off else allowed[port]) for port in allowed),
        delay=impairment.delay,
        fails_health_checks=impairment.fails_health_checks,
    )


def _target_group(record: TargetGroupRecord, seen: Seen) -> TargetGroup:
    addresses = {instance.instance_id: instance for instance in seen.instances}
    targets = []
    for each in seen.registrations.get(record.arn, ()):
        instance = addresses.get(each.instance_id)
        if instance is not None and instance.state in (State.RUNNING, State.SHUTTING_DOWN):
            targets.append(Target(each.instance_id, instance.address, each.port, each.draining_until is not None))
    attributes = record.attributes
    sticky = attributes.get("stickiness.enabled") == "true"
    return TargetGroup(
        arn=record.arn,
        name=record.name,
        health_check=HealthCheck(
            path=record.health_check_path,
            port=record.health_check_port,
            protocol=record.health_check_protocol,
            interval=record.interval,
            timeout=record.timeout,
            healthy_threshold=record.healthy_threshold,
            unhealthy_threshold=record.unhealthy_threshold,
            matcher=record.matcher,
        ),
        targets=tuple(targets),
        algorithm=Algorithm(attributes.get("load_balancing.algorithm.type", Algorithm.ROUND_ROBIN)),
        stickiness_seconds=float(attributes.get("stickiness.lb_cookie.duration_seconds", 86400)) if sticky else None,
        slow_start=float(attributes.get("slow_start.duration_seconds", 0)),
    )


def _load_balancer(record: LoadBalancerRecord, seen: Seen, sources: _Sources) -> LoadBalancer:
    groups = sources.groups_of(record)
    return LoadBalancer(
        arn=record.arn,
        name=record.name,
        address=seen.balancer_addresses[record.arn],
        dns_name=record.dns_name,
        allowed_sources={listener.port: sources.allowed(groups, listener.port) for listener in record.listeners},
        listeners=tuple(_listener(listener, seen) for listener in record.listeners if _can_serve(listener)),
        idle_timeout=float(record.attributes.get("idle_timeout.timeout_seconds", 60)),
    )


def _can_serve(record: ListenerRecord) -> bool:
    """Without its certificate an HTTPS listener has nothing to answer with."""
    return record.protocol != "HTTPS" or record.certificate is not None


def _listener(record: ListenerRecord, seen: Seen) -> Listener:
    return Listener(
        arn=record.arn,
        port=record.port,
        edge_port=seen.edge_ports[record.arn],
        protocol=record.protocol or "HTTP",
        default_action=_action(record.default_actions, seen),
        rules=tuple(_rule(rule, seen) for rule in record.rules),
        certificate_pem=record.certificate.pem if record.certificate else None,
        private_key_pem=record.certificate.private_key_pem if record.certificate else None,
    )


def _rule(rule: ListenerRule, seen: Seen) -> Rule:
    patterns: dict[str, tuple[str, ...]] = {"path-pattern": (), "host-header": ()}
    for condition in rule.conditions:
        config = condition.get("PathPatternConfig") or condition.get("HostHeaderConfig") or {}
        patterns[condition["Field"]] = tuple(condition.get("Values") or config.get("Values") or ())
    return Rule(_action(rule.actions, seen), patterns["path-pattern"], patterns["host-header"])


def _action(actions: Sequence[Mapping[str, Any]], seen: Seen) -> Action:
    action = actions[-1]
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        return FixedResponse(
            int(fixed["StatusCode"]), fixed.get("ContentType") or "text/plain", fixed.get("MessageBody") or ""
        )
    if action["Type"] == "redirect":
        config = action["RedirectConfig"]
        status = 301 if config.get("StatusCode") == "HTTP_301" else 302
        parts = {
            name: config[name.title()]
            for name in ("protocol", "host", "port", "path", "query")
            if config.get(name.title())
        }
        return Redirect(status, **parts)
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [
        {"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}
    ]
    weighted = ((each["TargetGroupArn"], int(each.get("Weight", 1))) for each in groups)
    return Forward(tuple((arn, weight) for arn, weight in weighted if arn in seen.target_groups))
