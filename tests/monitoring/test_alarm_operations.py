from __future__ import annotations

import json

import pytest

from groundschool.cloud.aws_error import AwsError

from .laboratory import Laboratory

POLICY = "arn:aws:autoscaling:eu-north-1:123456789012:scalingPolicy:1:autoScalingGroupName/asg:policyName/cpu50"
HIGH = {
    "AlarmName": "high",
    "Namespace": "AWS/EC2",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "asg"}],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 50.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": [POLICY],
    "AlarmDescription": "too warm",
}


def names(answer: dict) -> list[str]:
    return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]


def error(lab: Laboratory, operation: str, **params) -> str:
    with pytest.raises(AwsError) as raised:
        lab.ask(operation, **params)
    return raised.value.code


def test_an_alarm_is_described_as_it_was_put(lab):
    lab.now = 30
    lab.ask("PutMetricAlarm", **HIGH)
    (alarm,) = lab.ask("DescribeAlarms", AlarmNames=["high"])["MetricAlarms"]
    assert {name: alarm[name] for name in HIGH} == HIGH
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:high"
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert (alarm["TreatMissingData"], alarm["ActionsEnabled"]) == ("missing", True)
    assert alarm["AlarmConfigurationUpdatedTimestamp"] == lab.real(30)


def test_the_state_reason_carries_real_times(lab):
    lab.ask("PutMetricAlarm", **HIGH)
    lab.minutes(80, 90)
    (alarm,) = lab.ask("DescribeAlarms")["MetricAlarms"]
    assert alarm["StateReason"] == (
        "Threshold Crossed: 2 out of the last 2 datapoints [90.0 (01/01/26 00:00:06), 80.0 (01/01/26 00:00:00)] were "
        "greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert alarm["StateUpdatedTimestamp"] == lab.real(120)


def test_an_alarm_on_an_expression_is_evaluated(lab):
    metric = {"Namespace": HIGH["Namespace"], "MetricName": HIGH["MetricName"], "Dimensions": HIGH["Dimensions"]}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 10", "Label": "tenfold", "ReturnData": True},
    ]
    own = {name: HIGH[name] for name in ("AlarmName", "ComparisonOperator", "Threshold", "EvaluationPeriods")}
    lab.ask("PutMetricAlarm", Metrics=queries, **own)
    lab.minutes(6, 6, 6)
    (alarm,) = lab.ask("DescribeAlarms")["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Metrics"]) == ("ALARM", queries)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "InvalidParameterValue"),
        ({"DatapointsToAlarm": 4}, "InvalidParameterValue"),
        ({"Period": 30}, "InvalidParameterValue"),
        ({"ExtendedStatistic": "p99"}, "InvalidParameterCombination"),
        ({"Statistic": None}, "InvalidParameterCombination"),
        ({"MetricName": None}, "InvalidParameterCombination"),
        ({"Threshold": None}, "MissingParameter"),
        ({"Namespace": None}, "MissingParameter"),
        ({"TreatMissingData": "guess"}, "InvalidParameterValue"),
        ({"ThresholdMetricId": "ad1"}, "InvalidParameterValue"),
    ],
)
def test_a_wrong_alarm_is_refused(lab, change, code):
    params = {name: value for name, value in {**HIGH, **change}.items() if value is not None}
    assert error(lab, "PutMetricAlarm", **params) == code
    assert lab.ask("DescribeAlarms")["MetricAlarms"] == []


def test_alarms_are_found_by_name_prefix_state_and_action(lab):
    for name in ("web-high", "web-low", "db-high"):
        lab.ask("PutMetricAlarm", **{**HIGH, "AlarmName": name, "AlarmActions": [POLICY] if "web" in name else []})
    lab.ask("SetAlarmState", AlarmName="db-high", StateValue="OK", StateReason="drill")
    assert names(lab.ask("DescribeAlarms", AlarmNamePrefix="web")) == ["web-high", "web-low"]
    assert names(lab.ask("DescribeAlarms", AlarmNames=["db-high", "nobody"])) == ["db-high"]
    assert names(lab.ask("DescribeAlarms", StateValue="OK")) == ["db-high"]
    assert names(lab.ask("DescribeAlarms", ActionPrefix="arn:aws:autoscaling")) == ["web-high", "web-low"]
    assert names(lab.ask("DescribeAlarms", AlarmTypes=["CompositeAlarm"])) == []
    both = {"AlarmNames": ["a"], "AlarmNamePrefix": "a"}
    assert error(lab, "DescribeAlarms", **both) == "InvalidParameterCombination"


def test_alarms_come_in_pages(lab):
    for n in range(5):
        lab.ask("PutMetricAlarm", **{**HIGH, "AlarmName": f"alarm-{n}"})
    first = lab.ask("DescribeAlarms", MaxRecords=3)
    second = lab.ask("DescribeAlarms", MaxRecords=3, NextToken=first["NextToken"])
    assert names(first) + names(second) == [f"alarm-{n}" for n in range(5)]
    assert "NextToken" not in second


def test_alarms_are_found_by_exactly_their_metric(lab):
    lab.ask("PutMetricAlarm", **HIGH)
    metric = {"Namespace": HIGH["Namespace"], "MetricName": HIGH["MetricName"]}
    assert names(lab.ask("DescribeAlarmsForMetric", **metric)) == []
    metric["Dimensions"] = HIGH["Dimensions"]
    assert names(lab.ask("DescribeAlarmsForMetric", **metric)) == ["high"]
    assert names(lab.ask("DescribeAlarmsForMetric", Statistic="Maximum", **metric)) == []


def test_the_history_is_newest_first_and_filtered(lab):
    lab.ask("PutMetricAlarm", **HIGH)
    lab.minutes(80, 80)
    states = lab.ask("DescribeAlarmHistory", AlarmName="high", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in states] == [
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]
    assert json.loads(states[0]["HistoryData"])["newState"]["stateValue"] == "ALARM"
    assert lab.ask("DescribeAlarmHistory", AlarmName="other")["AlarmHistoryItems"] == []
    late = lab.ask("DescribeAlarmHistory", StartDate=lab.real(119))["AlarmHistoryItems"]
    assert [item["Timestamp"] for item in late] == [lab.real(120)]


def test_actions_can_be_disabled_and_enabled(lab):
    lab.ask("PutMetricAlarm", **HIGH)
    lab.ask("DisableAlarmActions", AlarmNames=["high", "nobody"])
    lab.minutes(80, 80, 80)
    assert lab.acted == []
    lab.ask("EnableAlarmActions", AlarmNames=["high"])
    lab.minutes(80)
    assert len(lab.acted) == 1


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("DeleteAlarms", {"AlarmNames": ["nobody"]}, "ResourceNotFound"),
        ("SetAlarmState", {"AlarmName": "nobody", "StateValue": "OK", "StateReason": "x"}, "ResourceNotFound"),
        ("SetAlarmState", {"AlarmName": "high", "StateValue": "FINE", "StateReason": "x"}, "InvalidParameterValue"),
        (
            "SetAlarmState",
            {"AlarmName": "high", "StateValue": "OK", "StateReason": "x", "StateReasonData": "{"},
            "InvalidFormat",
        ),
        ("DescribeAlarms", {"NextToken": "x"}, "InvalidNextToken"),
        ("DescribeAlarmHistory", {"HistoryItemType": "Gossip"}, "InvalidParameterValue"),
    ],
)
def test_errors_have_awss_names(lab, operation, params, code):
    lab.ask("PutMetricAlarm", **HIGH)
    assert error(lab, operation, **params) == code


def test_a_deleted_alarm_is_gone(lab):
    lab.ask("PutMetricAlarm", **HIGH)
    lab.ask("DeleteAlarms", AlarmNames=["high"])
    assert lab.ask("DescribeAlarms")["MetricAlarms"] == []
