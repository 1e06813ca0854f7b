"""An instance refresh replaces everything without going below its minimum."""

from __future__ import annotations

import pytest

from groundschool.cloud.aws_error import AwsError


def start(lab, **preferences):
    answer = lab.call("StartInstanceRefresh", AutoScalingGroupName="web", Preferences=preferences)
    return answer["InstanceRefreshId"]


def status(lab):
    return lab.call("DescribeInstanceRefreshes", AutoScalingGroupName="web")["InstanceRefreshes"][0]


def watch_serving(lab):
    """Records how few and how many instances were in the group while it ran."""
    seen = {"fewest": 99, "most": 0}

    def watch():
        states = lab.states()
        seen["fewest"] = min(seen["fewest"], states.count("InService"))
        seen["most"] = max(seen["most"], states.count("InService") + states.count("Pending"))

    lab.watch = watch
    return seen


def test_every_instance_is_replaced_one_at_a_time_by_default(lab):
    lab.in_service(DesiredCapacity=4)
    old = {each["InstanceId"] for each in lab.instances()}
    lab.fleet.versions = 2
    seen = watch_serving(lab)
    start(lab, InstanceWarmup=60)
    lab.run(1200)
    assert status(lab)["Status"] == "Successful"
    assert status(lab)["PercentageComplete"] == 100
    assert not old & {each["InstanceId"] for each in lab.instances()}
    assert {each["LaunchTemplate"]["Version"] for each in lab.instances()} == {"2"}
    assert seen == {"fewest": 3, "most": 4}


def test_a_maximum_above_100_launches_before_it_terminates(lab):
    lab.in_service(DesiredCapacity=4)
    seen = watch_serving(lab)
    start(lab, MinHealthyPercentage=100, MaxHealthyPercentage=125, InstanceWarmup=30)
    lab.run(1500)
    assert status(lab)["Status"] == "Successful"
    assert seen == {"fewest": 4, "most": 5}
    assert len(lab.instances()) == 4


def test_half_of_the_group_at_a_time(lab):
    lab.in_service(DesiredCapacity=4)
    seen = watch_serving(lab)
    start(lab, MinHealthyPercentage=50, InstanceWarmup=30)
    lab.run(600)
    assert status(lab)["Status"] == "Successful"
    assert seen["fewest"] == 2


def test_both_activities_name_the_refresh(lab):
    lab.in_service(DesiredCapacity=1)
    old = lab.instances()[0]["InstanceId"]
    start(lab, InstanceWarmup=0)
    lab.run(1)
    [ended] = lab.activities("Terminating")
    assert ended["Cause"] == (
        f"At {lab.at(60)} an instance was taken out of service in response to an instance refresh.  "
        f"At {lab.at(60)} instance {old} was selected for termination."
    )
    [launch] = lab.activities("was launched in response to an instance refresh")
    assert launch["Cause"] == f"At {lab.at(60)} an instance was launched in response to an instance refresh."


def test_the_next_instance_waits_until_the_new_one_is_warm_and_healthy(lab):
    lab.in_service(DesiredCapacity=2, HealthCheckType="ELB", HealthCheckGracePeriod=3600)
    start(lab, InstanceWarmup=120)
    lab.run(60)
    assert status(lab)["InstancesToUpdate"] == 2
    lab.targets.failing = {lab.instances()[-1]["InstanceId"]}
    lab.run(600)
    assert status(lab)["InstancesToUpdate"] == 2
    lab.targets.failing = set()
    lab.run(600)
    assert status(lab)["Status"] == "Successful"


def test_matching_instances_can_be_skipped(lab):
    lab.in_service()
    start(lab, SkipMatching=True)
    lab.run(5)
    assert status(lab)["Status"] == "Successful"
    assert not lab.fleet.ended


def test_a_cancelled_refresh_finishes_what_it_began(lab):
    lab.in_service(DesiredCapacity=4)
    start(lab, InstanceWarmup=60)
    lab.run(5)
    lab.call("CancelInstanceRefresh", AutoScalingGroupName="web")
    assert status(lab)["Status"] == "Cancelling"
    lab.run(600)
    assert status(lab)["Status"] == "Cancelled"
    assert lab.states() == ["InService"] * 4
    assert len(lab.fleet.ended) == 1


def test_one_refresh_at_a_time(lab):
    lab.in_service()
    start(lab)
    with pytest.raises(AwsError) as refused:
        start(lab)
    assert refused.value.code == "InstanceRefreshInProgress"
    lab.call("CancelInstanceRefresh", AutoScalingGroupName="web")
    with pytest.raises(AwsError) as refused:
        lab.call("CancelInstanceRefresh", AutoScalingGroupName="web")
    assert refused.value.code == "ActiveInstanceRefreshNotFound"


@pytest.mark.parametrize(("choice", "ended"), [("Ignore", 1), ("Refresh", 2), ("Wait", 1)])
def test_protected_instances(lab, choice, ended):
    lab.in_service()
    lab.call(
        "SetInstanceProtection",
        AutoScalingGroupName="web",
        InstanceIds=[lab.instances()[0]["InstanceId"]],
        ProtectedFromScaleIn=True,
    )
    start(lab, ScaleInProtectedInstances=choice, InstanceWarmup=0)
    lab.run(1000)
    assert len(lab.fleet.ended) == ended
    assert status(lab)["Status"] == ("InProgress" if choice == "Wait" else "Successful")


def test_suspended_refresh_replaces_nothing(lab):
    lab.in_service()
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["InstanceRefresh"])
    start(lab)
    lab.run(300)
    assert status(lab)["Status"] == "Pending"
    assert not lab.fleet.ended
