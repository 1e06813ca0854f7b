"""Lifecycle hooks hold instances on their way in and out."""

from __future__ import annotations

import pytest

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"


def put(lab, name, transition, **more):
    lab.call(
        "PutLifecycleHook",
        AutoScalingGroupName="web",
        LifecycleHookName=name,
        LifecycleTransition=transition,
        **{"HeartbeatTimeout": 120, **more},
    )


def complete(lab, name, instance_id, result):
    lab.call(
        "CompleteLifecycleAction",
        AutoScalingGroupName="web",
        LifecycleHookName=name,
        InstanceId=instance_id,
        LifecycleActionResult=result,
    )


@pytest.fixture
def waiting(lab):
    """One instance held at launch."""
    lab.create(DesiredCapacity=1)
    put(lab, "boot", LAUNCHING)
    lab.run(30)
    return lab


def test_a_launching_hook_holds_the_instance_unregistered(waiting):
    assert waiting.states() == ["Pending:Wait"]
    assert not waiting.targets.registered
    assert waiting.activities()[0]["StatusCode"] == "MidLifecycleAction"


def test_continue_puts_it_in_service(waiting):
    complete(waiting, "boot", waiting.instances()[0]["InstanceId"], "CONTINUE")
    assert waiting.states() == ["Pending:Proceed"]
    waiting.run(5)
    assert waiting.states() == ["InService"]


def test_abandon_cancels_the_launch_and_replaces_the_instance(waiting):
    first = waiting.instances()[0]["InstanceId"]
    token = waiting.service.groups["web"].members[first].action.token
    complete(waiting, "boot", first, "ABANDON")
    waiting.run(10)
    launch = waiting.activities(f"Launching a new EC2 instance: {first}")[0]
    assert launch["StatusCode"] == "Cancelled"
    assert launch["StatusMessage"] == (
        f"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned: "
        "Lifecycle Action Completed with ABANDON Result"
    )
    assert first in waiting.fleet.ended
    assert "Pending" in waiting.states()


@pytest.mark.parametrize(("default", "served"), [("CONTINUE", True), ("ABANDON", False)])
def test_the_default_result_applies_at_the_heartbeat_timeout(lab, default, served):
    lab.create(DesiredCapacity=1)
    put(lab, "boot", LAUNCHING, DefaultResult=default)
    lab.run(20 + 119)
    first = lab.instances()[0]["InstanceId"]
    assert lab.states() == ["Pending:Wait"]
    lab.run(10)
    assert (first not in lab.fleet.ended) is served


def test_a_heartbeat_restarts_the_timeout(waiting):
    waiting.run(100)
    waiting.call(
        "RecordLifecycleActionHeartbeat",
        AutoScalingGroupName="web",
        LifecycleHookName="boot",
        InstanceId=waiting.instances()[0]["InstanceId"],
    )
    waiting.run(100)
    assert waiting.states() == ["Pending:Wait"]


def test_two_hooks_follow_each_other(waiting):
    put(waiting, "second", LAUNCHING)
    first = waiting.instances()[0]["InstanceId"]
    complete(waiting, "boot", first, "CONTINUE")
    waiting.run(5)
    assert waiting.states() == ["Pending:Wait"]
    complete(waiting, "second", first, "CONTINUE")
    waiting.run(5)
    assert waiting.states() == ["InService"]


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
def test_a_terminating_hook_comes_after_the_drain_and_before_the_end(lab, result):
    lab.in_service()
    put(lab, "save", TERMINATING, HeartbeatTimeout=3600)
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    lab.run(200)
    assert lab.states() == ["InService", "Terminating"]
    lab.run(200)
    assert lab.states() == ["InService", "Terminating:Wait"]
    assert not lab.fleet.ended
    [leaving] = [each["InstanceId"] for each in lab.instances() if each["LifecycleState"] == "Terminating:Wait"]
    complete(lab, "save", leaving, result)
    lab.run(10)
    assert lab.states() == ["InService"]


def test_completing_what_is_not_waiting_is_refused(waiting):
    with pytest.raises(Exception, match="No active Lifecycle Action found with instance ID i-none"):
        complete(waiting, "boot", "i-none", "CONTINUE")


def test_deleting_a_hook_ends_its_open_actions(waiting):
    waiting.call("DeleteLifecycleHook", AutoScalingGroupName="web", LifecycleHookName="boot")
    waiting.run(60)
    assert waiting.states() == ["InService", "Terminating"] or waiting.states() == ["InService"]


def test_the_metadata_service_learns_where_an_instance_is_heading(waiting):
    first = waiting.instances()[0]["InstanceId"]
    assert waiting.service.target_lifecycle_state(first) == "InService"
    waiting.call("TerminateInstanceInAutoScalingGroup", InstanceId=first, ShouldDecrementDesiredCapacity=False)
    assert waiting.service.target_lifecycle_state(first) == "Terminated"
    assert waiting.service.target_lifecycle_state("i-unknown") is None
