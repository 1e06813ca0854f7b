"""Standby, detach and attach."""

from __future__ import annotations

import pytest

from groundschool.cloud.autoscaling.surroundings import InstanceView
from groundschool.cloud.aws_error import AwsError


def enter_standby(lab, instance_id, decrement=True):
    answer = lab.call(
        "EnterStandby",
        AutoScalingGroupName="web",
        InstanceIds=[instance_id],
        ShouldDecrementDesiredCapacity=decrement,
    )
    return answer["Activities"][0]


def test_standby_takes_an_instance_out_of_service_and_back(lab):
    group = lab.in_service()
    sleeper = lab.instances()[0]["InstanceId"]
    activity = enter_standby(lab, sleeper)
    assert activity["Cause"] == (
        f"At {lab.at(60)} instance {sleeper} was moved to standby in response to a user request, "
        "shrinking the capacity from 2 to 1."
    )
    lab.run(400)
    assert (lab.states(), group.desired_capacity) == (["InService", "Standby"], 1)
    answer = lab.call("ExitStandby", AutoScalingGroupName="web", InstanceIds=[sleeper])
    assert answer["Activities"][0]["Description"] == f"Moving EC2 instance out of Standby: {sleeper}"
    assert lab.states() == ["InService", "Pending"]
    lab.run(20)
    assert (lab.states(), group.desired_capacity) == (["InService", "InService"], 2)
    assert not lab.fleet.ended
    assert len(lab.fleet.launched) == 2


def test_standby_without_decrement_is_replaced(lab):
    lab.in_service()
    enter_standby(lab, lab.instances()[0]["InstanceId"], decrement=False)
    lab.run(400)
    assert lab.states() == ["InService", "InService", "Standby"]


def test_standby_below_the_minimum_is_refused(lab):
    lab.in_service(MinSize=2)
    with pytest.raises(
        AwsError, match=r"has min-size=2, max-size=10, and desired-size=2\. To place into standby 1 instance"
    ):
        enter_standby(lab, lab.instances()[0]["InstanceId"])


def test_detached_instances_live_on_outside_the_group(lab):
    lab.in_service()
    leaver = lab.instances()[0]["InstanceId"]
    lab.call("DetachInstances", AutoScalingGroupName="web", InstanceIds=[leaver], ShouldDecrementDesiredCapacity=True)
    lab.run(400)
    assert lab.states() == ["InService"]
    assert lab.service.member(leaver) is None
    assert lab.fleet.view(leaver).state == "running"
    assert (lab.target_group, leaver) not in lab.targets.registered


def test_an_attached_instance_is_registered_and_counts(lab):
    group = lab.in_service()
    lab.fleet.views["i-mine"] = InstanceView("i-mine", "running", "t3.micro", "eu-north-1a", "subnet-a", "ami-1", 0)
    lab.call("AttachInstances", AutoScalingGroupName="web", InstanceIds=["i-mine"])
    lab.run(20)
    assert (lab.states(), group.desired_capacity) == (["InService"] * 3, 3)
    assert (lab.target_group, "i-mine") in lab.targets.registered
    assert lab.activities("i-mine")[0]["Cause"] == (
        f"At {lab.at(60)} an instance was attached in response to a user request, increasing the capacity from 2 to 3."
    )


def test_a_target_group_attached_later_gets_all_members_and_detached_loses_them(lab):
    lab.in_service(TargetGroupARNs=[])
    assert not lab.targets.registered
    lab.call("AttachLoadBalancerTargetGroups", AutoScalingGroupName="web", TargetGroupARNs=[lab.target_group])
    lab.run(20)
    assert len(lab.targets.registered) == 2
    [state] = lab.call("DescribeLoadBalancerTargetGroups", AutoScalingGroupName="web")["LoadBalancerTargetGroups"]
    assert state["State"] == "InService"
    lab.call("DetachLoadBalancerTargetGroups", AutoScalingGroupName="web", TargetGroupARNs=[lab.target_group])
    lab.run(20)
    assert not lab.targets.registered
    [state] = lab.call("DescribeTrafficSources", AutoScalingGroupName="web")["TrafficSources"]
    assert state["State"] == "Removing"


def test_a_group_moves_capacity_when_its_zones_grow_launching_first(lab):
    lab.in_service(DesiredCapacity=4, VPCZoneIdentifier="subnet-a")
    fewest = 4

    def watch():
        nonlocal fewest
        fewest = min(fewest, lab.states().count("InService"))

    lab.watch = watch
    lab.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", VPCZoneIdentifier="subnet-a,subnet-b")
    lab.run(1000)
    zones = [each["AvailabilityZone"] for each in lab.instances()]
    assert sorted(zones) == ["eu-north-1a", "eu-north-1a", "eu-north-1b", "eu-north-1b"]
    assert fewest == 4
    [terminated, _] = lab.activities("Terminating")
    assert (
        "instances were launched to balance instances in zones eu-north-1b with other zones resulting in more than "
        "desired number of instances in the group.  "
    ) in terminated["Cause"]


def test_suspended_rebalancing_leaves_zones_alone(lab):
    lab.in_service(DesiredCapacity=4, VPCZoneIdentifier="subnet-a")
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["AZRebalance"])
    lab.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", VPCZoneIdentifier="subnet-a,subnet-b")
    lab.run(600)
    assert {each["AvailabilityZone"] for each in lab.instances()} == {"eu-north-1a"}
