"""What the data plane shall do, as values.

The rest of the lab computes a :class:`NetworkPlan` from its records; a data plane makes it real. Durations are lab
seconds; the data plane converts them.

Addresses: an instance ``i-…`` has an *interface address* ``127.0.x.y`` (its private IP, the only one others use; the
data plane listens there and enforces security groups) and an *inner address* ``127.1.x.y`` with the same last two
octets (where its processes really listen). A load balancer has its own source address ``127.0.x.y``, so that a security
group reference can tell it from the rest of the world, and clients reach it on ``127.0.0.1`` at an *edge port*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class OpenPort:
    """One port of an interface and the sources its security groups admit (CIDRs; empty: nobody, connections hang)."""

    port: int
    allowed_sources: tuple[str, ...]


@dataclass(frozen=True)
class Interface:
    """An instance's network interface."""

    instance_id: str
    address: str
    inner_address: str
    ports: tuple[OpenPort, ...]
    delay: float = 0.0
    """A fault: real seconds for which every HTTP request to it waits first."""
    fails_health_checks: bool = False
    """A fault: a load balancer's health checks get 503, everything else passes."""


@dataclass(frozen=True)
class HealthCheck:
    """AWS: Application Load Balancers user guide, health checks for target groups. Periods in seconds."""

    path: str = "/"
    port: int | None = None
    """None: the target's own traffic port."""
    protocol: str = "HTTP"
    interval: float = 30
    timeout: float = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"


@dataclass(frozen=True)
class Target:
    """A registered target. ``draining`` targets finish what they have and get nothing new."""

    instance_id: str
    address: str
    port: int
    draining: bool = False


class Algorithm(StrEnum):
    """AWS: target group attribute ``load_balancing.algorithm.type``."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING_REQUESTS = "least_outstanding_requests"


@dataclass(frozen=True)
class TargetGroup:
    arn: str
    name: str
    health_check: HealthCheck
    targets: tuple[Target, ...]
    algorithm: Algorithm = Algorithm.ROUND_ROBIN
    stickiness_seconds: float | None = None
    """None: off. Else the life of the load balancer's cookie in real seconds (a browser's clock is real)."""
    slow_start: float = 0


@dataclass(frozen=True)
class Forward:
    """Send to target groups by weight: ``((target group arn, weight), ...)``."""

    target_groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FixedResponse:
    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Redirect:
    """AWS's redirect action; the placeholders ``#{host}``, ``#{path}``, ``#{port}``, ``#{protocol}``, ``#{query}``."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True)
class Rule:
    """A listener rule: every given condition must match. Patterns use AWS's ``*`` and ``?``. Order is priority."""

    action: Action
    path_patterns: tuple[str, ...] = ()
    host_patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    arn: str
    port: int
    edge_port: int
    default_action: Action
    rules: tuple[Rule, ...] = ()
    protocol: str = "HTTP"
    certificate_pem: str | None = None
    private_key_pem: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LoadBalancer:
    arn: str
    name: str
    address: str
    """The source address of its connections to targets."""
    dns_name: str
    allowed_sources: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By listener port: the CIDRs its security groups admit."""
    listeners: tuple[Listener, ...] = ()
    idle_timeout: float = 60


@dataclass(frozen=True)
class NetworkPlan:
    interfaces: tuple[Interface, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
