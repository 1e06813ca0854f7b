"""Policies, their alarms, and what they make a group do; with the real alarm book and the real control loop."""

from __future__ import annotations

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.monitoring.alarms import Actions, MetricAlarm
from groundschool.cloud.monitoring.metric_query import MetricStatistic
from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey
from groundschool.controlloop.alarm import Alarm, Comparison


def track_cpu(lab, target=50.0, name="cpu", warm_up=60, **more):
    return lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        EstimatedInstanceWarmup=warm_up,
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": target,
            **more,
        },
    )


def load(lab, instances_worth):
    """The CPU of a group whose instances share a load: that many instances at 100 %."""

    def publish():
        members = len(lab.service.metric_members("web", lab.now))
        if members:
            lab.put_cpu(min(100.0, 100.0 * instances_worth / members))

    lab.each_minute = publish


def capacities(lab, seconds):
    """(time, desired capacity) whenever it changed."""
    group, seen = lab.service.groups["web"], []
    for _ in range(int(seconds) // 10):
        if not seen or seen[-1][1] != group.desired_capacity:
            seen.append((lab.now, group.desired_capacity))
        lab.run(10)
    return seen


def test_basic_monitoring_does_not_size_for_instances_it_has_not_measured(lab):
    """One of two instances is burnt by hand; those added are warm minutes before the next datapoint."""
    lab.in_service(DesiredCapacity=2)
    track_cpu(lab, target=30.0)
    offset = lab.now

    def publish():
        if (lab.now - offset) // 60 % 5 == 0:
            lab.put_cpu(100.0 / len(lab.service.metric_members("web", lab.now)))

    lab.each_minute = publish
    assert max(capacity for _, capacity in capacities(lab, 1200)) == 4


def test_target_tracking_owns_a_high_and_a_low_alarm(lab):
    lab.in_service(DesiredCapacity=2)
    answer = track_cpu(lab)
    high, low = (lab.book.get(alarm["AlarmName"]) for alarm in answer["Alarms"])
    assert high.name.startswith("TargetTracking-web-AlarmHigh-")
    assert low.name.startswith("TargetTracking-web-AlarmLow-")
    assert (high.alarm.threshold, high.alarm.evaluation_periods) == (50, 3)
    assert (low.alarm.threshold, low.alarm.evaluation_periods) == (35, 15)
    assert high.actions.alarm == low.actions.alarm == (answer["PolicyARN"],)
    [policy] = lab.call("DescribePolicies", AutoScalingGroupName="web")["ScalingPolicies"]
    assert policy["Alarms"] == answer["Alarms"]


def test_the_low_alarm_follows_the_capacity(lab):
    lab.in_service(DesiredCapacity=2)
    low = track_cpu(lab)["Alarms"][1]["AlarmName"]
    lab.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=5)
    lab.run(1)
    assert lab.book.get(low).alarm.threshold == pytest.approx(40)


def test_an_alarm_that_a_user_deleted_comes_back(lab):
    lab.in_service()
    high = track_cpu(lab)["Alarms"][0]["AlarmName"]
    lab.book.delete([high], lab.now)
    lab.run(60)
    assert lab.book.get(high) is not None


def test_deleting_the_policy_or_the_group_deletes_its_alarms(lab):
    lab.in_service()
    track_cpu(lab)
    lab.call("DeletePolicy", AutoScalingGroupName="web", PolicyName="cpu")
    assert lab.book.all() == []
    track_cpu(lab)
    lab.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
    assert lab.book.all() == []


def test_a_whole_day_out_and_in_again_under_load(lab):
    """2 -> 4 -> 2 -> 1: the sequence, the times and the words."""
    lab.in_service()
    high, low = (alarm["AlarmName"] for alarm in track_cpu(lab)["Alarms"])
    lab.run(60)
    load(lab, 1.9)
    out = capacities(lab, 600)
    assert [desired for _, desired in out] == [2, 4]
    assert out[1][0] - out[0][0] <= 240
    scaled_at = out[1][0] - out[1][0] % 60
    launches = lab.activities(high)
    assert len(launches) == 2
    assert launches[0]["Cause"] == (
        f"At {lab.at(scaled_at)} a monitor alarm {high} in state ALARM triggered policy cpu changing the desired "
        f"capacity from 2 to 4.  At {lab.at(scaled_at)} an instance was started in response to a difference between "
        "desired and actual capacity, increasing the capacity from 2 to 4."
    )
    assert lab.states() == ["InService"] * 4
    load(lab, 0.1)
    back = capacities(lab, 2400)
    assert [desired for _, desired in back] == [4, 3, 2, 1]
    # AlarmLow needs 15 minutes; then one instance per minute.
    assert 14 * 60 <= back[1][0] - back[0][0] <= 17 * 60
    [first, *_] = lab.activities(low)
    time = first["Cause"][3:23]
    gone = first["Description"].split(": ")[1]
    assert first["Cause"] == (
        f"At {time} a monitor alarm {low} in state ALARM triggered policy cpu changing the desired capacity from 4 to "
        f"3.  At {time} an instance was taken out of service in response to a difference between desired and actual "
        f"capacity, shrinking the capacity from 4 to 3.  At {time} instance {gone} was selected for termination."
    )
    lab.run(600)
    assert lab.states() == ["InService"]


def test_the_launch_of_a_policy_ends_only_after_the_warm_up(lab):
    lab.in_service()
    track_cpu(lab, warm_up=300)
    load(lab, 2)
    while lab.service.groups["web"].desired_capacity == 2:
        lab.run(10)
    lab.run(60)
    launches = lab.activities("in state ALARM")
    assert lab.states() == ["InService"] * 4
    assert {each["StatusCode"] for each in launches} == {"WaitingForInstanceWarmup"}
    lab.run(600)
    launch = lab.activities("in state ALARM")[0]
    assert launch["StatusCode"] == "Successful"
    # 20 s of boot, a second to be seen and registered, 300 s of warm-up.
    assert 320 <= (launch["EndTime"] - launch["StartTime"]).total_seconds() <= 325


def test_warming_instances_are_left_out_of_the_groups_metrics(lab):
    lab.create(DefaultInstanceWarmup=100)
    lab.run(60)
    assert lab.states() == ["InService", "InService"]
    assert lab.service.metric_members("web", lab.now) == ()
    lab.run(70)
    assert len(lab.service.metric_members("web", lab.now)) == 2


def test_suspended_alarm_notification_stops_policies(lab):
    group = lab.in_service()
    track_cpu(lab)
    lab.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["AlarmNotification"])
    load(lab, 2)
    lab.run(900)
    assert group.desired_capacity == 2


def test_a_disabled_policy_does_nothing(lab):
    group = lab.in_service()
    track_cpu(lab)
    policy = lab.call("DescribePolicies")["ScalingPolicies"][0]
    lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=policy["TargetTrackingConfiguration"],
        Enabled=False,
    )
    load(lab, 2)
    lab.run(900)
    assert group.desired_capacity == 2


def test_scale_in_waits_until_every_policy_agrees(lab):
    group = lab.in_service(DesiredCapacity=4)
    track_cpu(lab)
    lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "CustomizedMetricSpecification": {"MetricName": "Backlog", "Namespace": "Board", "Statistic": "Average"},
            "TargetValue": 10,
        },
    )
    backlog = 9.0

    def publish():
        lab.put_cpu(5)
        lab.store.put([MetricData(MetricKey("Board", "Backlog"), lab.now - 60, (backlog,))])

    lab.each_minute = publish
    lab.run(1800)
    assert group.desired_capacity == 4
    backlog = 1.0
    lab.run(1800)
    assert group.desired_capacity == 1
    backlog = 30.0
    lab.run(300)
    assert group.desired_capacity == 3


def test_metric_math_can_be_tracked(lab):
    group = lab.in_service()
    metric = {"Namespace": "Board", "MetricName": "Backlog"}
    lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "CustomizedMetricSpecification": {
                "Metrics": [
                    {"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": False},
                    {"Id": "e1", "Expression": "m1 / 2"},
                ]
            },
            "TargetValue": 10,
        },
    )
    lab.each_minute = lambda: lab.store.put([MetricData(MetricKey("Board", "Backlog"), lab.now - 60, (50.0,))])
    lab.run(360)
    assert group.desired_capacity == 5


def user_alarm(lab, arn, threshold=60.0, comparison=Comparison.GREATER_OR_EQUAL, name="busy"):
    key = MetricKey("AWS/EC2", "CPUUtilization", frozenset({("AutoScalingGroupName", "web")}))
    alarm = Alarm(name, threshold, comparison, evaluation_periods=2)
    metric = MetricStatistic(key, "Average", 60)
    lab.book.put(MetricAlarm(alarm, metric, actions=Actions(alarm=(arn,))), lab.now)


def test_a_step_policy_answers_a_users_alarm_by_the_breach(lab):
    group = lab.in_service()
    policy = lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="steps",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        EstimatedInstanceWarmup=600,
        StepAdjustments=[
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3},
        ],
    )
    user_alarm(lab, policy["PolicyARN"])
    lab.each_minute = lambda: lab.put_cpu(85)
    lab.run(60)
    # The two instances must be warm before they are measured.
    lab.run(600 + 120)
    assert group.desired_capacity == 5
    assert (
        "a monitor alarm busy in state ALARM triggered policy steps changing the desired capacity from 2 to 5."
        in (lab.activities("steps")[0]["Cause"])
    )
    [found] = lab.call("DescribePolicies", AutoScalingGroupName="web")["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in found["Alarms"]] == ["busy"]


def test_a_simple_policy_acts_once_per_cooldown(lab):
    group = lab.in_service(DefaultCooldown=300)
    policy = lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="simple",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
    )
    user_alarm(lab, policy["PolicyARN"])
    lab.each_minute = lambda: lab.put_cpu(85)
    lab.run(180)
    assert group.desired_capacity == 3
    lab.run(240)
    assert group.desired_capacity == 3
    lab.run(180)
    assert group.desired_capacity == 4


def test_execute_policy(lab):
    group = lab.in_service()
    lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="double",
        AdjustmentType="PercentChangeInCapacity",
        ScalingAdjustment=100,
    )
    lab.call("ExecutePolicy", AutoScalingGroupName="web", PolicyName="double")
    lab.run(60)
    assert group.desired_capacity == 4
    assert (
        "a user request executed policy double changing the desired capacity from 2 to 4."
        in (lab.activities("double")[0]["Cause"])
    )
    with pytest.raises(AwsError) as refused:
        lab.call("ExecutePolicy", AutoScalingGroupName="web", PolicyName="double", HonorCooldown=True)
    assert refused.value.code == "ScalingActivityInProgress"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"PolicyType": "TargetTrackingScaling"}, "TargetTrackingConfiguration must be specified"),
        ({"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}, "StepAdjustments must be specified"),
        ({"PolicyType": "PredictiveScaling"}, "not supported by the lab"),
        ({"AdjustmentType": "Twice", "ScalingAdjustment": 1}, "Twice"),
        (
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
                    "TargetValue": 100,
                },
            },
            "ResourceLabel",
        ),
        (
            {
                "PolicyType": "StepScaling",
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
                    {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 2},
                ],
            },
            "gap",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(lab, params, message):
    lab.create()
    with pytest.raises(AwsError, match=message) as refused:
        lab.call("PutScalingPolicy", AutoScalingGroupName="web", PolicyName="x", **params)
    assert refused.value.code == "ValidationError"


def test_requests_per_target_can_be_tracked(lab):
    lab.in_service()
    label = "app/board/50dc6c495c0c9188/targetgroup/board/0123456789abcdef"
    answer = lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": label,
            },
            "TargetValue": 1000,
        },
    )
    alarm = lab.book.get(answer["Alarms"][0]["AlarmName"])
    assert (alarm.metric.key.namespace, alarm.metric.statistic) == ("AWS/ApplicationELB", "Sum")
