"""The reminder for those who pay: a tag on everything that says when they wanted to be done.

Nothing ends by itself. The tag is written when the system is built and read by ``build``, ``check`` and ``status``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from groundschool.workshop.remains import tagged
from groundschool.workshop.security_group import find_group, instance_group_name
from groundschool.workshop.world import EXPIRES_AT, World

DEFAULT_HOURS = 4.0
"""Two sessions of an hour, the questions, a lunch between them."""

TAGGED_AT_ONCE = 20
"""AWS: Resource Groups Tagging API, TagResources takes 20 ARNs."""


def expires_at(now: datetime, hours: float) -> str:
    """Pure: the tag's value, in UTC to the second."""
    return (now + timedelta(hours=hours)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def recorded(world: World) -> str | None:
    """The tag on the instances' security group: it is made first, and all that costs by the hour stands on it."""
    group = find_group(world, instance_group_name(world))
    return group.tags.get(EXPIRES_AT) if group else None


def expiring(world: World, hours: float | None, now: datetime) -> World:
    """The world whose tags carry the time: an earlier build's as long as no other is asked for, so that a build that
    goes on where it stopped repeats its requests letter by letter."""
    at = recorded(world) if hours is None else None
    at = at or expires_at(now, DEFAULT_HOURS if hours is None else hours)
    return replace(world, settings=replace(world.settings, expires_at=at))


def renew(world: World) -> int:
    """Writes the world's time on what an earlier build made; how many got it. IAM's, which are free, keep theirs."""
    at = world.settings.expires_at
    group = find_group(world, instance_group_name(world))
    if at is None or group is None or group.tags.get(EXPIRES_AT) == at:
        return 0
    arns = [arn for arn, tags in tagged(world) if tags.get(EXPIRES_AT, at) != at]
    world.ec2.create_tags(Resources=[group.group_id], Tags=[{"Key": EXPIRES_AT, "Value": at}])
    refused = 0
    for start in range(0, len(arns), TAGGED_AT_ONCE):
        batch = arns[start : start + TAGGED_AT_ONCE]
        answer = world.tagging.tag_resources(ResourceARNList=batch, Tags={EXPIRES_AT: at})
        refused += len(answer.get("FailedResourcesMap", {}))
    return len(arns) - refused


def reminder(at: str | None, now: datetime) -> str | None:
    """Pure: what to tell the owner; None without a tag that can be read."""
    if at is None:
        return None
    try:
        due = datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return f"The tag {EXPIRES_AT} is {at!r}, which is no time. End it with: ground down --on aws"
    left = due - now
    if left <= timedelta(0):
        return f"Past its time by {hours_and_minutes(-left)} (ExpiresAt {at}): ground down --on aws"
    return f"To be ended in {hours_and_minutes(left)} (ExpiresAt {at}; nothing ends by itself): ground down --on aws"


def hours_and_minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
