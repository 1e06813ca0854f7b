"""What is told between two looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from groundschool.workshop.observation import Activity, Alarm, Member, Observation, Target
from groundschool.workshop.observation_changes import EventKind, changes, status_line

HIGH = "TargetTracking-visitor-board-AlarmHigh-0d5f"
A, B = Member("i-a", "eu-north-1a", "InService", "Healthy"), Member("i-b", "eu-north-1a", "InService", "Healthy")
HEALTHY = (Target("i-a", "healthy", None), Target("i-b", "healthy", None))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({}, [], id="nothing changed"),
        pytest.param({"desired": 4}, ["desired capacity 2 -> 4"], id="desired capacity"),
        pytest.param({"minimum": 2, "maximum": 4}, ["minimum 1 -> 2", "maximum 10 -> 4"], id="limits"),
        pytest.param(
            {"members": (A, B, Member("i-c", "eu-north-1b", "Pending", "Healthy"))},
            ["i-c is Pending in eu-north-1b"],
            id="an instance is launched",
        ),
        pytest.param(
            {"members": (A, replace(B, lifecycle_state="Terminating:Wait"))},
            ["in service 2 -> 1", "i-b InService -> Terminating:Wait"],
            id="an instance terminates",
        ),
        pytest.param({"members": (A, replace(B, health="Unhealthy"))}, ["i-b Healthy -> Unhealthy"], id="health"),
        pytest.param({"members": (A,)}, ["in service 2 -> 1", "i-b has left the group"], id="an instance is gone"),
        pytest.param(
            {"targets": (HEALTHY[0], Target("i-b", "draining", "Target.DeregistrationInProgress"))},
            ["target i-b healthy -> draining (Target.DeregistrationInProgress)"],
            id="a target drains",
        ),
        pytest.param(
            {"targets": (*HEALTHY, Target("i-c", "initial", "Elb.RegistrationInProgress"))},
            ["target i-c is initial (Elb.RegistrationInProgress)"],
            id="a target is registered",
        ),
        pytest.param({"targets": HEALTHY[:1]}, ["target i-b is deregistered"], id="a target is gone"),
    ],
)
def test_every_change_is_told_once(
    steady: Observation, changed: Callable[..., Observation], fields: dict[str, Any], told: list[str]
) -> None:
    assert [event.says for event in changes(steady, changed(**fields))] == told


def test_an_alarm_tells_its_old_and_new_state_and_its_threshold(
    steady: Observation, changed: Callable[..., Observation]
) -> None:
    after = changed(alarms=(Alarm(HIGH, "ALARM", 50, "crossed"), steady.alarms[1]))
    (event,) = changes(steady, after)
    assert (event.kind, event.subject) == (EventKind.ALARM, HIGH)
    assert event.says == "AlarmHigh (threshold 50 %): OK -> ALARM"


def test_an_alarm_that_was_made_again_after_a_capacity_change_is_new(
    steady: Observation, changed: Callable[..., Observation]
) -> None:
    low = Alarm("TargetTracking-visitor-board-AlarmLow-new", "INSUFFICIENT_DATA", 37.5, "")
    events = changes(steady, changed(alarms=(steady.alarms[0], low)))
    assert [event.says for event in events] == ["AlarmLow is new (threshold 37.5 %): INSUFFICIENT_DATA"]


def activity(number: int, status: str = "Successful") -> Activity:
    cause = f"At T a monitor alarm.  At T an instance was started, number {number}."
    return Activity(f"act-{number}", None, f"Launching i-{number}", cause, status, "no capacity")  # type: ignore[arg-type]


def test_new_activities_are_told_oldest_first_with_their_cause(
    steady: Observation, changed: Callable[..., Observation]
) -> None:
    events = changes(steady, changed(activities=(activity(3), activity(2), *steady.activities)))
    assert [event.subject for event in events] == ["act-2", "act-3"]
    assert events[0].says == "Launching i-2. Cause: At T a monitor alarm. At T an instance was started, number 2."


def test_an_activity_that_fails_later_is_told_again(changed: Callable[..., Observation]) -> None:
    before, after = (changed(activities=(activity(2, status),)) for status in ("InProgress", "Failed"))
    (event,) = changes(before, after)
    assert event.says == "Launching i-2: Failed. no capacity"


def test_causes_come_before_effects(steady: Observation, changed: Callable[..., Observation]) -> None:
    after = changed(
        alarms=(Alarm(HIGH, "ALARM", 50, ""), steady.alarms[1]),
        desired=3,
        activities=(activity(2), *steady.activities),
        members=(A, B, Member("i-c", "eu-north-1b", "Pending", "Healthy")),
        targets=(*HEALTHY, Target("i-c", "initial", "Elb.RegistrationInProgress")),
    )
    assert [event.kind for event in changes(steady, after)] == [
        EventKind.ALARM,
        EventKind.CAPACITY,
        EventKind.ACTIVITY,
        EventKind.INSTANCE,
        EventKind.TARGET,
    ]


def test_the_status_line_says_capacity_cpu_alarms_and_who_serves(steady: Observation) -> None:
    assert status_line(steady) == (
        "desired 2, in service 2 of 1-10 · CPU 43 % (target 50 %) · AlarmHigh OK AlarmLow OK · serving: i-a, i-b"
    )


def test_the_status_line_of_a_bare_group_says_what_is_missing(changed: Callable[..., Observation]) -> None:
    line = status_line(changed(alarms=(), targets=(), cpu=None, members=()))
    assert line == "desired 2, in service 0 of 1-10 · no CPU data · no alarms · serving: none"
