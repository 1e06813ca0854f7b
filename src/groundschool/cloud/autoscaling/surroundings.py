"""What Auto Scaling needs of the rest of the lab, as narrow seams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from groundschool.clock import Clock
from groundschool.cloud.monitoring.alarms import AlarmBook
from groundschool.cloud.network.data_plane import TargetHealth


@dataclass(frozen=True)
class LaunchRequest:
    """One instance to launch for a group."""

    group_name: str
    launch_template: Mapping[str, str]
    """AWS's LaunchTemplateSpecification: LaunchTemplateId or LaunchTemplateName, and Version."""
    overrides: Mapping[str, Any]
    """AWS's LaunchTemplateOverrides (``InstanceType``, ...), may be empty."""
    subnet_id: str
    tags: Mapping[str, str]
    """Tags that propagate at launch; ``aws:autoscaling:groupName`` is added by Auto Scaling."""


@dataclass(frozen=True)
class TemplateVersion:
    """A launch template with its version resolved: never ``$Latest`` or ``$Default``."""

    launch_template_id: str
    launch_template_name: str
    version: str
    created_at: datetime
    """When this version was created: the termination policies compare it."""


@dataclass(frozen=True)
class InstanceView:
    """What Auto Scaling sees of an instance."""

    instance_id: str
    state: str
    """EC2's state name: pending, running, shutting-down, terminated, stopping, stopped."""
    instance_type: str
    availability_zone: str
    subnet_id: str
    image_id: str
    launched_at: float
    """Lab seconds."""


class Fleet(Protocol):
    """Launches and ends instances. All calls return at once; progress shows in :meth:`view`."""

    def launch(self, request: LaunchRequest) -> str:
        """Returns the instance id; raises AwsError (InsufficientInstanceCapacity, InvalidLaunchTemplate..., ...)."""

    def terminate(self, instance_id: str) -> None: ...

    def view(self, instance_id: str) -> InstanceView | None:
        """None when the instance is unknown (terminated long ago)."""

    def subnets(self, subnet_ids: tuple[str, ...]) -> dict[str, str]:
        """Subnet id -> availability zone; raises AwsError for an unknown subnet."""

    def template(self, launch_template: Mapping[str, str]) -> TemplateVersion:
        """Resolves a LaunchTemplateSpecification (no Version: the default version); raises AwsError if unknown."""

    def default_subnets(self, availability_zones: tuple[str, ...]) -> dict[str, str]:
        """The default VPC's subnet id -> availability zone, for the zones named."""


class Targets(Protocol):
    """Target groups, as Auto Scaling uses them."""

    def exists(self, target_group_arn: str) -> bool: ...

    def register(self, target_group_arn: str, instance_id: str) -> None: ...

    def deregister(self, target_group_arn: str, instance_id: str) -> None:
        """Starts draining."""

    def health(self, target_group_arn: str, instance_id: str) -> TargetHealth:
        """``unused`` once deregistered and drained."""


@dataclass(frozen=True)
class Surroundings:
    """Everything outside the service that its controllers may touch."""

    fleet: Fleet
    targets: Targets
    alarms: AlarmBook
    clock: Clock

    def at(self, lab_now: float) -> datetime:
        """Real time, for the texts of activities and the answers of operations."""
        return self.clock.wall_time(lab_now)
