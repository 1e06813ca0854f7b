"""What happened between two observations of a group. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from groundschool.workshop.observation import Activity, Observation


class EventKind(StrEnum):
    CAPACITY = "capacity"
    INSTANCE = "instance"
    TARGET = "target"
    ALARM = "alarm"
    ACTIVITY = "activity"


@dataclass(frozen=True)
class Event:
    """``subject`` is the group, instance, alarm or activity id; ``says`` one sentence for a reader."""

    kind: EventKind
    subject: str
    says: str


def changes(before: Observation, after: Observation) -> list[Event]:
    """Causes before effects: alarms, capacity, activities, instances, targets. Empty when nothing changed."""
    return [
        *_alarms(before, after),
        *_capacity(before, after),
        *_activities(before, after),
        *_instances(before, after),
        *_targets(before, after),
    ]


def _alarms(before: Observation, after: Observation) -> Iterator[Event]:
    states = {alarm.name: alarm.state for alarm in before.alarms}
    for alarm in after.alarms:
        old = states.get(alarm.name)
        threshold = "" if alarm.threshold is None else f" (threshold {alarm.threshold:g} %)"
        if old is None:
            yield Event(EventKind.ALARM, alarm.name, f"{alarm.short_name} is new{threshold}: {alarm.state}")
        elif old != alarm.state:
            yield Event(EventKind.ALARM, alarm.name, f"{alarm.short_name}{threshold}: {old} -> {alarm.state}")


def _capacity(before: Observation, after: Observation) -> Iterator[Event]:
    for name, old, new in (
        ("minimum", before.minimum, after.minimum),
        ("desired capacity", before.desired, after.desired),
        ("maximum", before.maximum, after.maximum),
        ("in service", len(before.in_service), len(after.in_service)),
    ):
        if old != new:
            yield Event(EventKind.CAPACITY, after.group_name, f"{name} {old} -> {new}")


def _activities(before: Observation, after: Observation) -> Iterator[Event]:
    known = {activity.activity_id: activity for activity in before.activities}
    for activity in reversed(after.activities):
        old = known.get(activity.activity_id)
        if old is None:
            yield Event(
                EventKind.ACTIVITY, activity.activity_id, f"{activity.description.rstrip('.')}. {_cause(activity)}"
            )
        elif old.status != activity.status and activity.status in ("Failed", "Cancelled"):
            says = f"{activity.description}: {activity.status}. {activity.status_message}"
            yield Event(EventKind.ACTIVITY, activity.activity_id, says)


def _cause(activity: Activity) -> str:
    # AWS separates the sentences of a cause by two spaces.
    return "Cause: " + " ".join(activity.cause.split())


def _instances(before: Observation, after: Observation) -> Iterator[Event]:
    old, new = ({member.instance_id: member for member in seen.members} for seen in (before, after))
    for instance_id, member in new.items():
        past = old.get(instance_id)
        if past is None:
            says = f"{instance_id} is {member.lifecycle_state} in {member.availability_zone}"
            yield Event(EventKind.INSTANCE, instance_id, says)
        elif past.lifecycle_state != member.lifecycle_state:
            says = f"{instance_id} {past.lifecycle_state} -> {member.lifecycle_state}"
            yield Event(EventKind.INSTANCE, instance_id, says)
        elif past.health != member.health:
            yield Event(EventKind.INSTANCE, instance_id, f"{instance_id} {past.health} -> {member.health}")
    for instance_id in old.keys() - new.keys():
        yield Event(EventKind.INSTANCE, instance_id, f"{instance_id} has left the group")


def _targets(before: Observation, after: Observation) -> Iterator[Event]:
    old, new = ({target.instance_id: target for target in seen.targets} for seen in (before, after))
    for instance_id, target in new.items():
        past = old.get(instance_id)
        if past != target:
            reason = f" ({target.reason})" if target.reason else ""
            says = f"target {instance_id} {past.state + ' -> ' if past else 'is '}{target.state}{reason}"
            yield Event(EventKind.TARGET, instance_id, says)
    for instance_id in old.keys() - new.keys():
        yield Event(EventKind.TARGET, instance_id, f"target {instance_id} is deregistered")


def status_line(seen: Observation) -> str:
    """The state in one line, for a terminal that shows lines."""
    cpu = "no CPU data" if seen.cpu is None else f"CPU {seen.cpu.per_cent:.0f} %"
    target = "" if seen.cpu_target is None else f" (target {seen.cpu_target:.0f} %)"
    alarms = " ".join(f"{alarm.short_name} {alarm.state}" for alarm in seen.alarms) or "no alarms"
    serving = ", ".join(sorted(target.instance_id for target in seen.healthy_targets)) or "none"
    return (
        f"desired {seen.desired}, in service {len(seen.in_service)} of {seen.minimum}-{seen.maximum} · {cpu}{target} · "
        f"{alarms} · serving: {serving}"
    )
