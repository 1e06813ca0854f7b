"""How instances go."""

from __future__ import annotations

from collections import Counter

import pytest


def scale_to(lab, desired):
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)


def test_a_scale_in_drains_before_it_terminates(lab):
    lab.in_service()
    scale_to(lab, 1)
    lab.run(295)
    assert lab.states() == ["InService", "Terminating"]
    assert not lab.fleet.ended
    [activity] = lab.activities("Terminating")
    [leaving] = [each["InstanceId"] for each in lab.instances() if each["LifecycleState"] == "Terminating"]
    assert activity["StatusCode"] == "WaitingForELBConnectionDraining"
    assert activity["Description"] == f"Terminating EC2 instance: {leaving} - Waiting For ELB Connection Draining."
    lab.run(15)
    assert lab.states() == ["InService"]
    assert lab.fleet.ended.keys() == {leaving}


def test_a_scale_in_says_who_asked_and_who_was_selected(lab):
    lab.in_service(DesiredCapacity=3)
    scale_to(lab, 2)
    lab.run(400)
    [activity] = lab.activities("Terminating")
    [ended] = lab.fleet.ended
    assert activity["Description"] == f"Terminating EC2 instance: {ended}"
    assert activity["StatusCode"] == "Successful"
    assert activity["Cause"] == (
        f"At {lab.at(60)} a user request explicitly set group desired capacity changing the desired capacity from "
        f"3 to 2.  At {lab.at(60)} an instance was taken out of service in response to a difference between desired "
        f"and actual capacity, shrinking the capacity from 3 to 2.  At {lab.at(60)} instance {ended} was selected "
        "for termination."
    )


def test_the_zone_with_most_instances_gives_first_and_zones_stay_balanced(lab):
    lab.in_service(DesiredCapacity=5)
    scale_to(lab, 2)
    lab.run(400)
    assert Counter(each["AvailabilityZone"] for each in lab.instances()) == {"eu-north-1a": 1, "eu-north-1b": 1}


def test_the_oldest_launch_template_version_goes_first(lab):
    lab.in_service()
    old = {each["InstanceId"] for each in lab.instances()}
    lab.fleet.versions = 2
    scale_to(lab, 4)
    lab.run(60)
    scale_to(lab, 2)
    lab.run(400)
    assert lab.fleet.ended.keys() == old


def test_protected_instances_are_not_chosen(lab):
    lab.in_service(DesiredCapacity=4)
    protected = [each["InstanceId"] for each in lab.instances()][:3]
    lab.call("SetInstanceProtection", AutoScalingGroupName="web", InstanceIds=protected, ProtectedFromScaleIn=True)
    scale_to(lab, 1)
    lab.run(400)
    assert {each["InstanceId"] for each in lab.instances()} == set(protected)


def test_new_instances_can_be_protected_from_the_start(lab):
    lab.in_service(NewInstancesProtectedFromScaleIn=True)
    scale_to(lab, 1)
    lab.run(400)
    assert lab.states() == ["InService", "InService"]


def test_suspended_terminate_keeps_the_surplus(lab):
    lab.in_service()
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["Terminate"])
    scale_to(lab, 1)
    lab.run(400)
    assert lab.states() == ["InService", "InService"]


@pytest.mark.parametrize("decrement", [True, False], ids=["without replacement", "with replacement"])
def test_terminate_in_group(lab, decrement):
    lab.in_service()
    victim = lab.instances()[0]["InstanceId"]
    answer = lab.call(
        "TerminateInstanceInAutoScalingGroup", InstanceId=victim, ShouldDecrementDesiredCapacity=decrement
    )
    shrinking = ", shrinking the capacity from 2 to 1" if decrement else ""
    expected = f"At {lab.at(60)} instance {victim} was taken out of service in response to a user request{shrinking}."
    assert answer["Activity"]["Cause"] == expected
    lab.run(400)
    assert lab.states() == ["InService"] * (1 if decrement else 2)
    assert victim in lab.fleet.ended


def test_a_group_deleted_by_force_ends_its_instances_without_draining(lab):
    lab.in_service()
    lab.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
    [group] = lab.call("DescribeAutoScalingGroups")["AutoScalingGroups"]
    assert group["Status"] == "Delete in progress"
    lab.run(5)
    assert lab.call("DescribeAutoScalingGroups")["AutoScalingGroups"] == []
    assert len(lab.fleet.ended) == 2
    assert (
        "a user request force deleted AutoScalingGroup changing the desired capacity from 2 to 0"
        in (lab.activities("Terminating")[0]["Cause"])
    )


def test_a_group_scaled_to_zero_can_be_deleted_once_its_instances_are_gone(lab):
    lab.in_service()
    lab.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MinSize=0, MaxSize=0, DesiredCapacity=0)
    lab.run(400)
    lab.call("DeleteAutoScalingGroup", AutoScalingGroupName="web")
    assert lab.call("DescribeAutoScalingGroups")["AutoScalingGroups"] == []
