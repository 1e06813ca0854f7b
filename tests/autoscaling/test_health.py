"""What a group does about unhealthy instances."""

from __future__ import annotations

import pytest


@pytest.fixture
def checked(lab):
    """A group of two with ELB health checks and a grace period of 300 s, in service since second 21."""
    lab.in_service(HealthCheckType="ELB", HealthCheckGracePeriod=300)
    return lab


def test_a_terminated_instance_is_replaced_at_once_even_in_the_grace_period(checked):
    victim = checked.instances()[0]["InstanceId"]
    checked.fleet.terminate(victim)
    checked.run(5)
    assert checked.states() == ["InService", "Pending", "Terminating"]
    [ended] = checked.activities(f"Terminating EC2 instance: {victim}")
    assert ended["Cause"].endswith(
        "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or "
        "stopped."
    )
    checked.run(400)
    assert checked.states() == ["InService", "InService"]


def test_the_replacement_says_what_it_replaces(checked):
    checked.fleet.terminate(checked.instances()[0]["InstanceId"])
    checked.run(60)
    [launch] = checked.activities("unhealthy instance")
    assert launch["Cause"].endswith(
        "Z an instance was launched in response to an unhealthy instance needing to be replaced."
    )


def test_a_replacement_and_a_scale_out_at_once_give_each_launch_its_own_cause(checked):
    checked.fleet.terminate(checked.instances()[0]["InstanceId"])
    checked.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=3)
    checked.run(5)
    launches = [each["Cause"] for each in checked.activities("Launching") if each["StatusCode"] == "PreInService"]
    assert len(launches) == 2
    assert len([cause for cause in launches if "unhealthy instance" in cause]) == 1
    assert len([cause for cause in launches if "changing the desired capacity from 2 to 3" in cause]) == 1


def test_a_replacement_that_dies_while_pending_is_replaced_too(checked):
    checked.fleet.terminate(checked.instances()[0]["InstanceId"])
    checked.run(5)
    [pending] = [each["InstanceId"] for each in checked.instances() if each["LifecycleState"] == "Pending"]
    checked.fleet.terminate(pending)
    checked.run(600)
    assert checked.states() == ["InService", "InService"]


def test_an_elb_unhealthy_instance_is_replaced_only_after_the_grace_period(checked):
    victim = checked.instances()[0]["InstanceId"]
    checked.targets.failing = {victim}
    checked.run(320 - checked.now)
    assert checked.states() == ["InService", "InService"]
    checked.run(10)
    assert checked.states() == ["InService", "Pending", "Terminating"]
    [ended] = checked.activities(f"Terminating EC2 instance: {victim}")
    cause = (
        f"At {checked.at(321)} an instance was taken out of service in response to an ELB system health check failure."
    )
    assert ended["Cause"] == cause


def test_without_elb_health_checks_the_load_balancer_is_not_asked(lab):
    lab.in_service()
    lab.targets.failing = {each["InstanceId"] for each in lab.instances()}
    lab.run(600)
    assert lab.states() == ["InService", "InService"]
    assert not lab.fleet.ended


def test_replacements_are_throttled_to_one_at_a_time_in_a_small_group(lab):
    lab.in_service(DesiredCapacity=4, HealthCheckType="ELB")
    lab.targets.failing = {each["InstanceId"] for each in lab.instances()}
    most = 0

    def watch():
        nonlocal most
        states = lab.states()
        most = max(most, 4 - states.count("InService"))
        assert states.count("Pending") <= 1

    lab.watch = watch
    lab.run(1000)
    assert most == 1
    assert lab.states() == ["InService"] * 4
    assert not {each["InstanceId"] for each in lab.instances()} & lab.targets.failing


def test_an_unhealthy_mark_stays_when_the_check_passes_again(checked):
    victim = checked.instances()[0]["InstanceId"]
    checked.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["ReplaceUnhealthy"])
    checked.targets.failing = {victim}
    checked.run(400)
    assert {each["HealthStatus"] for each in checked.instances()} == {"Healthy", "Unhealthy"}
    assert checked.states() == ["InService", "InService"]
    checked.targets.failing = set()
    checked.call("ResumeProcesses", AutoScalingGroupName="web")
    checked.run(400)
    assert victim in checked.fleet.ended


def test_suspended_health_checks_mark_nobody(checked):
    checked.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["HealthCheck"])
    before = [each["InstanceId"] for each in checked.instances()]
    checked.fleet.terminate(before[0])
    checked.run(400)
    assert [each["InstanceId"] for each in checked.instances()] == before


def test_a_user_may_call_an_instance_unhealthy_but_the_grace_period_is_respected(checked):
    victim = checked.instances()[0]["InstanceId"]
    checked.call("SetInstanceHealth", InstanceId=victim, HealthStatus="Unhealthy")
    checked.run(30)
    assert checked.states() == ["InService", "InService"]
    checked.call("SetInstanceHealth", InstanceId=victim, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    checked.run(1)
    [ended] = checked.activities(f"Terminating EC2 instance: {victim}")
    assert ended["Cause"].endswith("an instance was taken out of service in response to a user health-check.")


def test_standby_instances_are_not_health_checked(checked):
    sleeper = checked.instances()[0]["InstanceId"]
    checked.call("EnterStandby", AutoScalingGroupName="web", InstanceIds=[sleeper], ShouldDecrementDesiredCapacity=True)
    checked.targets.failing = {sleeper}
    checked.run(800)
    assert checked.states() == ["InService", "Standby"]
