"""How instances come into service."""

from __future__ import annotations

from collections import Counter

import pytest

from groundschool.cloud.aws_error import AwsError


def test_a_new_group_launches_its_desired_capacity_in_two_zones_alternately(lab):
    lab.in_service(DesiredCapacity=4)
    assert lab.states() == ["InService"] * 4
    assert Counter(each["AvailabilityZone"] for each in lab.instances()) == {"eu-north-1a": 2, "eu-north-1b": 2}


def test_the_first_launches_say_that_a_user_created_the_group(lab):
    lab.in_service(DesiredCapacity=1)
    [launch] = lab.activities()
    assert launch["Description"] == f"Launching a new EC2 instance: {lab.instances()[0]['InstanceId']}"
    assert launch["Cause"] == (
        f"At {lab.at(0)} a user request created an AutoScalingGroup changing the desired capacity from 0 to 1.  "
        f"At {lab.at(0)} an instance was started in response to a difference between desired and actual capacity, "
        "increasing the capacity from 0 to 1."
    )
    assert (launch["StatusCode"], launch["Progress"]) == ("Successful", 100)


def test_an_instance_is_pending_until_it_runs(lab):
    lab.create()
    lab.run(15)
    assert lab.states() == ["Pending", "Pending"]
    assert {each["StatusCode"] for each in lab.activities()} == {"PreInService"}


def test_no_instance_is_in_service_before_its_target_group_knows_it(lab):
    lab.targets.visible_after = 30

    def watch():
        for each in lab.instances():
            if each["LifecycleState"] == "InService":
                health = lab.targets.health(lab.target_group, each["InstanceId"])
                assert health.reason != "Target.NotRegistered"

    lab.watch = watch
    lab.create()
    lab.run(45)
    assert lab.states() == ["Pending", "Pending"]
    lab.run(15)
    assert lab.states() == ["InService", "InService"]


def test_an_instance_is_in_service_before_it_is_healthy(lab):
    lab.fleet.boot = 20
    lab.create(DesiredCapacity=1)
    lab.run(25)
    assert lab.states() == ["InService"]
    assert lab.targets.health(lab.target_group, lab.instances()[0]["InstanceId"]).state == "initial"


def test_the_launch_carries_template_version_subnet_and_tags_that_propagate(lab):
    lab.fleet.versions = 3
    tags = [{"Key": "Name", "Value": "web"}, {"Key": "cost", "Value": "1", "PropagateAtLaunch": False}]
    lab.create(DesiredCapacity=1, Tags=tags)
    lab.run(1)
    [request] = lab.fleet.launched
    assert request.launch_template == {"LaunchTemplateId": "lt-board", "Version": "3"}
    assert (request.group_name, request.subnet_id, request.tags) == ("web", "subnet-a", {"Name": "web"})
    assert lab.instances()[0]["LaunchTemplate"]["Version"] == "3"


def test_a_failed_launch_is_an_activity_with_the_reason_and_is_tried_again_ever_later(lab):
    refusal = AwsError("VcpuLimitExceeded", "You have requested more vCPU capacity than your current limit allows.")
    lab.fleet.refusals = [refusal] * 3
    lab.create(DesiredCapacity=1)
    lab.run(200)
    failed = [each for each in lab.activities() if each["StatusCode"] == "Failed"]
    assert [each["StartTime"].timestamp() - lab.clock.wall_time(0).timestamp() for each in failed] == [0, 15, 45]
    assert failed[0]["StatusMessage"] == f"{refusal.message} Launching EC2 instance failed."
    assert failed[0]["Description"] == (
        f"Launching a new EC2 instance.  Status Reason: {refusal.message} Launching EC2 instance failed."
    )
    assert lab.states() == ["InService"]


def test_a_zone_without_capacity_is_replaced_by_another_one(lab):
    lab.fleet.zones_out = {"eu-north-1a"}
    lab.create()
    lab.run(1)
    assert {each["AvailabilityZone"] for each in lab.instances()} == {"eu-north-1b"}
    assert len(lab.instances()) == 2
    assert len([each for each in lab.activities() if each["StatusCode"] == "Failed"]) == 1


def test_no_capacity_anywhere_is_not_asked_for_all_the_time(lab):
    lab.fleet.zones_out = {"eu-north-1a", "eu-north-1b"}
    lab.create()
    lab.run(600)
    assert len(lab.activities()) < 12


def test_capacity_returns_to_a_zone_that_has_recovered(lab):
    lab.fleet.zones_out = {"eu-north-1a"}
    lab.in_service()
    lab.fleet.zones_out = set()
    lab.run(1500)
    assert {each["AvailabilityZone"] for each in lab.instances()} == {"eu-north-1a", "eu-north-1b"}
    assert len(lab.instances()) == 2


def test_a_launch_into_a_target_group_that_is_gone_fails(lab):
    lab.create(DesiredCapacity=0, MinSize=0)
    lab.targets.arns.clear()
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    lab.run(1)
    message = "One or more target groups not found. Validating load balancer configuration failed."
    assert lab.activities()[0]["StatusMessage"] == f"{message} Launching EC2 instance failed."


def test_an_instance_that_ends_while_pending_cancels_its_launch_and_is_replaced(lab):
    lab.create(DesiredCapacity=1)
    lab.run(5)
    first = lab.instances()[0]["InstanceId"]
    lab.fleet.terminate(first)
    lab.run(400)
    launch = lab.activities(first)[0]
    assert launch["StatusCode"] == "Cancelled"
    assert "Instance became unhealthy while waiting for instance to be in InService state" in launch["StatusMessage"]
    assert lab.states() == ["InService"]
    assert lab.instances()[0]["InstanceId"] != first


def test_suspended_launch_launches_nothing_until_resumed(lab):
    group = lab.create(DesiredCapacity=0, MinSize=0)
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    lab.run(60)
    assert not group.members
    lab.call("ResumeProcesses", AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    lab.run(60)
    assert lab.states() == ["InService", "InService"]


def test_suspended_add_to_load_balancer_leaves_new_instances_out_for_good(lab):
    lab.in_service(DesiredCapacity=1)
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["AddToLoadBalancer"])
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    lab.run(60)
    lab.call("ResumeProcesses", AutoScalingGroupName="web")
    lab.run(60)
    assert lab.states() == ["InService", "InService"]
    assert len(lab.targets.registered) == 1


@pytest.mark.parametrize(
    ("desired", "words"),
    [
        (3, "a user request explicitly set group desired capacity changing the desired capacity from 2 to 3"),
        (4, "a user request explicitly set group desired capacity changing the desired capacity from 2 to 4"),
    ],
)
def test_all_launches_of_a_scale_out_share_their_cause(lab, desired, words):
    lab.in_service()
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)
    lab.run(60)
    launches = lab.activities("explicitly")
    assert len(launches) == desired - 2
    assert {each["Cause"] for each in launches} == {
        f"At {lab.at(60)} {words}.  At {lab.at(60)} an instance was started in response to a difference between "
        f"desired and actual capacity, increasing the capacity from 2 to {desired}."
    }


def test_a_launch_that_fails_unexpectedly_is_a_failed_activity_and_the_other_groups_go_on(lab, monkeypatch):
    launch = lab.fleet.launch

    def fail_for_web(request):
        if request.group_name == "web":
            raise OSError("no such device")
        return launch(request)

    monkeypatch.setattr(lab.fleet, "launch", fail_for_web)
    lab.create()
    lab.create("other")
    lab.run(60)
    assert lab.states("other") == ["InService"] * 2
    failed = lab.activities()[0]
    assert (failed["StatusCode"], "no such device" in failed["StatusMessage"]) == ("Failed", True)
