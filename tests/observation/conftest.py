"""A group in a known state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from groundschool.workshop.observation import Activity, Alarm, Datapoint, Member, Observation, Target

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HIGH = "TargetTracking-visitor-board-AlarmHigh-0d5f"
LOW = "TargetTracking-visitor-board-AlarmLow-77aa"


def member(instance_id: str, state: str = "InService", health: str = "Healthy") -> Member:
    return Member(instance_id, "eu-north-1a", state, health)


STEADY = Observation(
    at=AT,
    group_name="visitor-board",
    minimum=1,
    desired=2,
    maximum=10,
    members=(member("i-a"), member("i-b")),
    targets=(Target("i-a", "healthy", None), Target("i-b", "healthy", None)),
    alarms=(Alarm(HIGH, "OK", 50, ""), Alarm(LOW, "OK", 35, "")),
    activities=(Activity("act-1", AT, "Launching a new EC2 instance: i-a", "At T a user", "Successful", ""),),
    cpu=Datapoint(AT, 43.2),
)


@pytest.fixture
def steady() -> Observation:
    return STEADY


@pytest.fixture
def changed() -> Callable[..., Observation]:
    """The steady group with other fields."""

    def change(**fields: Any) -> Observation:
        return replace(STEADY, **fields)

    return change
