"""What a user sets on a group, and its parts, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundschool.cloud.autoscaling.lifecycle import Transition

DEFAULT_COOLDOWN = 300
"""AWS: ``DefaultCooldown``, seconds."""


@dataclass(frozen=True)
class Tag:
    key: str
    value: str
    propagates: bool


@dataclass(frozen=True)
class Settings:
    """The parameters of ``CreateAutoScalingGroup`` that ``UpdateAutoScalingGroup`` may change. Periods in seconds.

    The desired capacity is not here: controllers change it, so it is the group's own.
    """

    min_size: int
    max_size: int
    launch_template: Mapping[str, str]
    """LaunchTemplateId, LaunchTemplateName and Version as given, which may be ``$Latest`` or ``$Default``."""
    subnets: Mapping[str, str]
    """Subnet id -> availability zone."""
    vpc_zone_identifier: str = ""
    mixed_instances_policy: Mapping[str, Any] | None = None
    health_check_type: str = "EC2"
    health_check_grace_period: float = 0
    default_cooldown: float = DEFAULT_COOLDOWN
    default_instance_warmup: float | None = None
    new_instances_protected: bool = False
    termination_policies: tuple[str, ...] = ("Default",)

    @property
    def elb_health_checked(self) -> bool:
        return "ELB" in self.health_check_type.split(",")

    @property
    def availability_zones(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.subnets.values())))

    @property
    def template_specification(self) -> Mapping[str, str]:
        """By id only: a request that names a template twice is refused."""
        return {key: self.launch_template[key] for key in ("LaunchTemplateId", "Version")}

    @property
    def overrides(self) -> Mapping[str, Any]:
        """LaunchTemplateOverrides for the next launch: the first of a mixed instances policy (``prioritized``)."""
        if self.mixed_instances_policy is None:
            return {}
        overrides = self.mixed_instances_policy["LaunchTemplate"].get("Overrides") or [{}]
        first: Mapping[str, Any] = overrides[0]
        return first


@dataclass(frozen=True)
class LifecycleHook:
    """Holds instances in a Wait state until told to proceed. AWS: lifecycle hooks. Periods in seconds."""

    name: str
    transition: Transition
    heartbeat_timeout: float = 3600
    default_result: str = "ABANDON"
    notification_metadata: str | None = None
    role_arn: str | None = None

    @property
    def global_timeout(self) -> float:
        return min(172_800, 100 * self.heartbeat_timeout)
