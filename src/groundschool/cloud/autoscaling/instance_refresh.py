"""An instance refresh: replacing every instance of a group, a few at a time."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RefreshStatus(StrEnum):
    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class Preferences:
    """AWS: ``RefreshPreferences``. Percentages of the desired capacity; the warm-up in seconds."""

    min_healthy_percentage: int = 90
    max_healthy_percentage: int = 100
    instance_warmup: float | None = None
    """None: the group's own warm-up."""
    skip_matching: bool = False
    scale_in_protected_instances: str = "Wait"
    standby_instances: str = "Wait"

    def may_be_unhealthy(self, desired: int, surge: int) -> int:
        """How many instances may be out of service at once.

        At least one, or a refresh could never go on, unless successors are launched ahead (``surge`` of them are).
        """
        allowed = desired - math.ceil(desired * self.min_healthy_percentage / 100)
        return allowed if self.may_exceed(desired) or surge else max(1, allowed)

    def may_exceed(self, desired: int) -> int:
        """How many instances may run beyond the desired capacity: none, unless the maximum is above 100 %."""
        if self.max_healthy_percentage <= 100:
            return 0
        return max(1, math.floor(desired * (self.max_healthy_percentage - 100) / 100))


@dataclass(eq=False)
class InstanceRefresh:
    """One refresh, changed by its controller. Times are lab seconds."""

    preferences: Preferences
    given_preferences: Mapping[str, Any]
    desired_configuration: Mapping[str, Any] | None
    started_at: float
    refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: RefreshStatus = RefreshStatus.PENDING
    reason: str | None = None
    ended_at: float | None = None
    waiting_for: set[str] = field(default_factory=set)
    """Instances still to be replaced."""
    total: int = 0
    replacing: int = 0
    """Replacements begun whose new instance is not yet healthy and warm."""
    surge: int = 0
    """Instances launched beyond the desired capacity, whose predecessors are still to be terminated."""

    @property
    def instances_to_update(self) -> int:
        return len(self.waiting_for) + self.replacing

    @property
    def percentage_complete(self) -> int:
        return 100 if not self.total else max(0, 100 * (self.total - self.instances_to_update) // self.total)

    @property
    def active(self) -> bool:
        return self.status in (RefreshStatus.PENDING, RefreshStatus.IN_PROGRESS, RefreshStatus.CANCELLING)

    def end(self, status: RefreshStatus, now: float, reason: str | None = None) -> None:
        self.status, self.ended_at, self.reason = status, now, reason
