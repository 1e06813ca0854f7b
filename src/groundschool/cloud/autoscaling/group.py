"""The one mutable record of an Auto Scaling group.

Who changes what: operations change what the user sets (settings, policies, hooks, tags, suspended processes) and the
desired capacity; controllers change members, activities and refreshes, and the desired capacity through
:meth:`Group.change_desired` only. Nobody else writes here. Times are lab seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.activity import Activity, ActivityLog, Status
from groundschool.cloud.autoscaling.instance_refresh import InstanceRefresh
from groundschool.cloud.autoscaling.lifecycle import Process, Transition
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.scaling_policy import ScalingPolicy
from groundschool.cloud.autoscaling.scheduled_action import ScheduledAction
from groundschool.cloud.autoscaling.settings import LifecycleHook, Settings, Tag
from groundschool.controlloop.decision import Capacity
from groundschool.controlloop.instance import GroupInstance, Lifecycle


@dataclass(frozen=True)
class DesiredChange:
    """A change of the desired capacity whose activities have not all started; ``policy`` made it, if one did."""

    sentence: str
    policy: str | None = None


@dataclass(frozen=True)
class Trigger:
    """An alarm in ALARM that has a policy as its action.

    ``metric`` is its newest value, measured up to ``measured_at`` (lab seconds); both None without data.
    """

    alarm_name: str
    metric: float | None
    threshold: float
    measured_at: float | None = None


@dataclass(frozen=True)
class LaunchBackoff:
    """After failed launches: when to try again. The doubling is this lab's; AWS does not publish its own."""

    failures: int = 0
    until: float = float("-inf")

    def after_failure(self, now: float) -> LaunchBackoff:
        """15 s after the first failure, twice as long after each further one, at most 300 s."""
        return LaunchBackoff(self.failures + 1, now + min(300.0, 15.0 * 2.0**self.failures))


@dataclass(eq=False)
class Group:
    """One Auto Scaling group."""

    name: str
    region: str
    account_id: str
    created_at: float
    settings: Settings
    desired_capacity: int = 0
    target_groups: tuple[str, ...] = ()
    tags: dict[str, Tag] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    hooks: dict[str, LifecycleHook] = field(default_factory=dict)
    scheduled_actions: dict[str, ScheduledAction] = field(default_factory=dict)
    suspended: dict[Process, float] = field(default_factory=dict)
    """Process -> since when."""
    enabled_metrics: set[str] = field(default_factory=set)
    activities: ActivityLog = field(default_factory=ActivityLog)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    """Policy name -> the alarm that triggered it last."""
    simple_scaled_at: float | None = None
    """When a simple scaling policy changed the desired capacity last."""
    refreshes: list[InstanceRefresh] = field(default_factory=list)
    unexplained: list[DesiredChange] = field(default_factory=list)
    """Changes of the desired capacity that the next launches or terminations give as their cause."""
    replacements_owed: int = 0
    """Launches still to be made for instances taken out as unhealthy."""
    refresh_launches_owed: int = 0
    """Launches still to be made for instances an instance refresh took out."""
    balancing: bool = False
    """One instance more than desired was launched, to move capacity between zones."""
    backoff: LaunchBackoff = field(default_factory=LaunchBackoff)
    zones_without_capacity: dict[str, float] = field(default_factory=dict)
    """Availability zone -> until when launches avoid it."""
    scheduled_until: float = 0.0
    """Scheduled actions due up to here have been run."""
    deleting: bool = False
    unique_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def arn(self) -> str:
        return self.arn_of("autoScalingGroup", self.unique_id)

    def arn_of(self, kind: str, unique_id: str, tail: str = "") -> str:
        """The ARN of this group, or of a part of it: ``arn_of("scalingPolicy", uuid, ":policyName/cpu")``."""
        owner = f"arn:aws:autoscaling:{self.region}:{self.account_id}"
        return f"{owner}:{kind}:{unique_id}:autoScalingGroupName/{self.name}{tail}"

    def in_state(self, *states: Lifecycle) -> list[Member]:
        return [member for member in self.members.values() if member.state in states]

    def where(self, holds: Callable[[Member], bool]) -> list[Member]:
        return [member for member in self.members.values() if holds(member)]

    @property
    def counted(self) -> list[Member]:
        """The members that make up the actual capacity."""
        return self.where(lambda member: member.counts)

    def seen(self) -> list[GroupInstance]:
        """All members as the control loop sees them."""
        return [member.seen() for member in self.members.values()]

    @property
    def capacity(self) -> Capacity:
        """Without regard to any policy's warm-up."""
        return Capacity(self.desired_capacity, self.settings.min_size, self.settings.max_size)

    def suspends(self, process: Process) -> bool:
        return process in self.suspended

    def hook_for(self, member: Member, transition: Transition) -> LifecycleHook | None:
        """The next hook that shall hold this member, None when it may go on."""
        if member.no_more_hooks:
            return None
        waiting = (hook for hook in self.hooks.values() if hook.transition is transition)
        return next((hook for hook in waiting if hook.name not in member.hooks_passed), None)

    def resize(self, minimum: int, maximum: int) -> None:
        """New bounds; the caller moves the desired capacity into them."""
        self.settings = replace(self.settings, min_size=minimum, max_size=maximum)

    def change_desired(self, desired: int, at: datetime, words: str, policy: str | None = None) -> None:
        """``words`` say why, as in :mod:`causes`; the caller has clamped. No change, no sentence."""
        if desired == self.desired_capacity:
            return
        self.desired_capacity = desired
        self.unexplained.append(DesiredChange(causes.sentence(at, words), policy))

    def cause(self, *sentences: str) -> str:
        """The cause of an activity: first why the desired capacity is what it is, then ``sentences``."""
        return causes.paragraph([*(change.sentence for change in self.unexplained), *sentences])

    def start_activity(
        self, description: str, cause: str, status: Status, now: float, details: Mapping[str, str] | None = None
    ) -> Activity:
        return self.activities.add(Activity(self.name, description, cause, now, status, dict(details or {})))

    @property
    def refresh(self) -> InstanceRefresh | None:
        """The refresh that is going on."""
        return next((refresh for refresh in reversed(self.refreshes) if refresh.active), None)
