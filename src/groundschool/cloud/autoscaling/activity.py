"""Scaling activities: what a group did, and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

KEPT = 1000
"""Finished activities kept per group. AWS keeps six weeks; a lab hour at speed 60 makes a few hundred."""


class Status(StrEnum):
    """AWS: ``ScalingActivityStatusCode``."""

    PRE_IN_SERVICE = "PreInService"
    IN_PROGRESS = "InProgress"
    WAITING_FOR_ELB_CONNECTION_DRAINING = "WaitingForELBConnectionDraining"
    MID_LIFECYCLE_ACTION = "MidLifecycleAction"
    WAITING_FOR_INSTANCE_WARMUP = "WaitingForInstanceWarmup"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


_PROGRESS = {
    Status.PRE_IN_SERVICE: 30,
    Status.IN_PROGRESS: 0,
    Status.WAITING_FOR_ELB_CONNECTION_DRAINING: 50,
    Status.MID_LIFECYCLE_ACTION: 60,
    Status.WAITING_FOR_INSTANCE_WARMUP: 90,
}


@dataclass(eq=False)
class Activity:
    """One activity; times are lab seconds. Owned and changed by its group's controllers."""

    group_name: str
    description: str
    cause: str
    started_at: float
    status: Status
    details: dict[str, str]
    activity_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended_at: float | None = None
    status_message: str | None = None

    @property
    def progress(self) -> int:
        """Percent. AWS shows 0, 30, 50 and 100 in its documented examples; the values between are this lab's."""
        return 100 if self.ended_at is not None else _PROGRESS[self.status]

    def end(self, status: Status, now: float, message: str | None = None) -> None:
        self.status = status
        self.ended_at = now
        if message is not None:
            self.status_message = message


class ActivityLog:
    """The activities of one group, the newest last."""

    def __init__(self) -> None:
        self._running: list[Activity] = []
        self._ended: list[Activity] = []

    def add(self, activity: Activity) -> Activity:
        self._running.append(activity)
        return activity

    def __iter__(self) -> Iterator[Activity]:
        """AWS's order: those in progress first, each part sorted by start time, the newest first."""
        self._settle()
        for part in (self._running, self._ended):
            oldest_first = sorted(part, key=lambda activity: activity.started_at)
            yield from oldest_first[::-1]

    def last(self) -> Activity | None:
        """The one that started last."""
        return max([*self._ended, *self._running], key=lambda activity: activity.started_at, default=None)

    def _settle(self) -> None:
        self._ended += [activity for activity in self._running if activity.ended_at is not None]
        self._running = [activity for activity in self._running if activity.ended_at is None]
        del self._ended[:-KEPT]
