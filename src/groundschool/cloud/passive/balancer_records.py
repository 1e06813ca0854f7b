"""What moto remembers of load balancers, listeners, rules and target groups, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend

from groundschool.cloud.passive.application import Passive


@dataclass(frozen=True)
class Certificate:
    """Of ACM, or an IAM server certificate."""

    pem: str
    """With its chain."""
    private_key_pem: str = field(repr=False)


@dataclass(frozen=True)
class ListenerRule:
    conditions: tuple[Mapping[str, Any], ...]
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ListenerRecord:
    arn: str
    port: int
    protocol: str
    default_actions: tuple[Mapping[str, Any], ...]
    rules: tuple[ListenerRule, ...]
    """By priority, without the default rule."""
    certificate_arn: str | None
    certificate: Certificate | None
    """None without TLS, or when the certificate is gone."""


@dataclass(frozen=True)
class LoadBalancerRecord:
    arn: str
    name: str
    dns_name: str
    vpc_id: str
    security_group_ids: tuple[str, ...]
    listeners: tuple[ListenerRecord, ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class TargetGroupRecord:
    arn: str
    name: str
    port: int
    protocol: str
    target_type: str
    health_check_enabled: bool
    health_check_path: str
    health_check_port: int | None
    """None: the traffic port."""
    health_check_protocol: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str
    attributes: Mapping[str, str]


class BalancerRecords:
    """Reads moto's elbv2 backend of one region."""

    def __init__(self, passive: Passive, account_id: str, region: str) -> None:
        self._passive = passive
        self._account_id = account_id
        self._region = region

    @property
    def _elbv2(self) -> Any:
        return get_backend("elbv2")[self._account_id][self._region]

    def load_balancers(self) -> list[LoadBalancerRecord]:
        with self._passive.lock:
            return [self._load_balancer(balancer) for balancer in self._elbv2.load_balancers.values()]

    def target_groups(self) -> dict[str, TargetGroupRecord]:
        with self._passive.lock:
            return {group.arn: _target_group(group) for group in self._elbv2.target_groups.values()}

    def target_group(self, arn: str) -> TargetGroupRecord | None:
        with self._passive.lock:
            group = self._elbv2.target_groups.get(arn)
            return None if group is None else _target_group(group)

    def certificate(self, arn: str | None) -> Certificate | None:
        """From ACM or IAM; None when neither has it."""
        if arn is None:
            return None
        with self._passive.lock:
            imported = get_backend("acm")[self._account_id][self._region]._certificates.get(arn)
            if imported is not None:
                return Certificate(_joined(imported.cert, imported.chain), _text(imported.key))
            uploaded = get_backend("iam")[self._account_id]["aws"].get_certificate_by_arn(arn)
            if uploaded is None:
                return None
            return Certificate(_joined(uploaded.cert_body, uploaded.cert_chain), _text(uploaded.private_key))

    def _load_balancer(self, balancer: Any) -> LoadBalancerRecord:
        return LoadBalancerRecord(
            arn=balancer.arn,
            name=balancer.name,
            dns_name=balancer.dns_name,
            vpc_id=balancer.vpc_id,
            security_group_ids=tuple(balancer.security_groups or ()),
            listeners=tuple(self._listener(listener) for listener in balancer.listeners.values()),
            attributes=_texts(balancer.attrs),
        )

    def _listener(self, listener: Any) -> ListenerRecord:
        rules = sorted(
            (rule for rule in listener.rules.values() if not rule.is_default), key=lambda rule: int(rule.priority)
        )
        return ListenerRecord(
            arn=listener.arn,
            port=int(listener.port),
            protocol=listener.protocol,
            default_actions=tuple(action.data for action in listener.default_actions),
            rules=tuple(
                ListenerRule(tuple(rule.conditions), tuple(action.data for action in rule.actions)) for rule in rules
            ),
            certificate_arn=listener.certificate,
            certificate=self.certificate(listener.certificate),
        )


def _joined(certificate: bytes | str, chain: bytes | str | None) -> str:
    return "\n".join(_text(part).strip() for part in (certificate, chain) if part) + "\n"


def _text(pem: bytes | str) -> str:
    return pem.decode() if isinstance(pem, bytes) else pem


def _target_group(group: Any) -> TargetGroupRecord:
    port = group.health_check_port
    return TargetGroupRecord(
        arn=group.arn,
        name=group.name,
        port=int(group.port or 80),
        protocol=group.protocol or "HTTP",
        target_type=group.target_type,
        health_check_enabled=bool(group.health_check_enabled),
        health_check_path=group.health_check_path or "/",
        health_check_port=None if port in (None, "traffic-port") else int(port),
        health_check_protocol=group.health_check_protocol or "HTTP",
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        healthy_threshold=int(group.healthy_threshold_count),
        unhealthy_threshold=int(group.unhealthy_threshold_count),
        matcher=(getattr(group, "matcher", None) or {}).get("HttpCode", "200"),
        attributes=_texts(group.attributes),
    )


def _texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items()}
