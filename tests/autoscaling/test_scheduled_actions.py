"""Sizes by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from groundschool.cloud.autoscaling.scheduled_action import Recurrence
from groundschool.cloud.aws_error import AwsError


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("* * * * *", "2026-03-01T09:00", "2026-03-01T09:01"),
        ("30 9 * * *", "2026-03-01T09:30", "2026-03-02T09:30"),
        ("0 9 * * 1-5", "2026-02-27T09:00", "2026-03-02T09:00"),
        ("*/15 * * * *", "2026-03-01T09:44", "2026-03-01T09:45"),
        ("0 0 1 */6 *", "2026-03-01T09:00", "2026-07-01T00:00"),
        ("0 0 29 2 *", "2026-03-01T09:00", "2028-02-29T00:00"),
        ("0 12 13 * FRI", "2026-03-01T09:00", "2026-03-06T12:00"),
        ("0 0 * * 7", "2026-03-02T00:00", "2026-03-08T00:00"),
    ],
)
def test_a_recurrence_finds_its_next_minute(expression, after, due):
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Recurrence.parse(expression).next_after(moment, ZoneInfo("UTC")) == datetime.fromisoformat(due).replace(
        tzinfo=UTC
    )


def test_a_recurrence_follows_its_time_zone():
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    due = Recurrence.parse("0 9 * * *").next_after(moment, ZoneInfo("America/New_York"))
    assert due == datetime(2026, 3, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize("expression", ["* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "* * 0 * *"])
def test_a_malformed_recurrence_is_refused(lab, expression):
    lab.create()
    with pytest.raises(AwsError, match="is invalid"):
        lab.call(
            "PutScheduledUpdateGroupAction",
            AutoScalingGroupName="web",
            ScheduledActionName="x",
            Recurrence=expression,
            MinSize=1,
        )


def test_a_one_time_action_runs_once_and_is_forgotten(lab):
    group = lab.in_service()
    lab.call(
        "PutScheduledUpdateGroupAction",
        AutoScalingGroupName="web",
        ScheduledActionName="rush",
        StartTime=lab.clock.wall_time(200),
        MinSize=3,
        DesiredCapacity=4,
    )
    lab.run(139)
    assert group.desired_capacity == 2
    lab.run(60)
    assert (group.settings.min_size, group.desired_capacity) == (3, 4)
    assert lab.activities("rush")[0]["Cause"].startswith(
        f"At {lab.at(200)} the scheduled action rush executed. Setting min size from 1 to 3. "
        f"Setting desired capacity from 2 to 4.  At {lab.at(200)} an instance was started"
    )
    assert lab.call("DescribeScheduledActions", AutoScalingGroupName="web")["ScheduledUpdateGroupActions"] == []


def test_a_recurring_action_runs_again_and_again_until_its_end(lab):
    group = lab.in_service()
    lab.call(
        "PutScheduledUpdateGroupAction",
        AutoScalingGroupName="web",
        ScheduledActionName="up",
        Recurrence="*/10 * * * *",
        DesiredCapacity=3,
        EndTime=lab.clock.wall_time(0) + timedelta(minutes=25),
    )
    wanted = []
    for _ in range(4):
        lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
        lab.run(600)
        wanted.append(group.desired_capacity)
    assert wanted == [3, 3, 2, 2]


def test_actions_due_while_suspended_are_not_made_up_for(lab):
    group = lab.in_service()
    lab.call(
        "PutScheduledUpdateGroupAction",
        AutoScalingGroupName="web",
        ScheduledActionName="rush",
        StartTime=lab.clock.wall_time(200),
        DesiredCapacity=4,
    )
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    lab.run(300)
    lab.call("ResumeProcesses", AutoScalingGroupName="web")
    lab.run(300)
    assert group.desired_capacity == 2


def test_a_time_in_the_past_is_refused(lab):
    lab.in_service()
    with pytest.raises(AwsError, match="Given start time is in the past"):
        lab.call(
            "PutScheduledUpdateGroupAction",
            AutoScalingGroupName="web",
            ScheduledActionName="late",
            StartTime=lab.clock.wall_time(30),
            DesiredCapacity=4,
        )
