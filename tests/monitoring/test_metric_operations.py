from __future__ import annotations

from datetime import timedelta

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.monitoring.metric_store import MetricData

from .laboratory import CPU, START, Laboratory


def stat(query_id: str, name: str, stat: str = "Average", period: int = 60, **more) -> dict:
    metric = {"Namespace": "Board", "MetricName": name}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def put(lab: Laboratory, name: str, *values: float) -> None:
    """One value per lab minute."""
    for value in values:
        lab.ask("PutMetricData", Namespace="Board", MetricData=[{"MetricName": name, "Value": value}])
        lab.now += 60


def data(lab: Laboratory, *queries: dict, **more) -> dict:
    return lab.ask("GetMetricData", MetricDataQueries=list(queries), StartTime=START, EndTime=lab.real(lab.now), **more)


def error(lab: Laboratory, operation: str, **params) -> str:
    with pytest.raises(AwsError) as raised:
        lab.ask(operation, **params)
    return raised.value.code


def test_what_was_put_can_be_read_as_statistics_in_real_time(lab):
    put(lab, "Visitors", 1, 3)
    answer = lab.ask(
        "GetMetricStatistics",
        Namespace="Board",
        MetricName="Visitors",
        StartTime=START,
        EndTime=lab.real(120),
        Period=60,
        Statistics=["Sum", "Maximum"],
        ExtendedStatistics=["p99"],
    )
    assert answer["Label"] == "Visitors"
    # At speed 10 the second datapoint of a 60 s period is 6 s after the first.
    assert [(p["Timestamp"] - START, p["Sum"], p["ExtendedStatistics"]) for p in answer["Datapoints"]] == [
        (timedelta(), 1, {"p99": 1}),
        (timedelta(seconds=6), 3, {"p99": 3}),
    ]


def test_a_start_within_a_period_includes_that_period(lab):
    put(lab, "Visitors", 1, 3)
    answer = lab.ask(
        "GetMetricStatistics",
        Namespace="Board",
        MetricName="Visitors",
        StartTime=lab.real(90),
        EndTime=lab.real(120),
        Period=60,
        Statistics=["Sum"],
    )
    assert [p["Sum"] for p in answer["Datapoints"]] == [3]


def test_a_timestamp_puts_a_value_in_its_minute(lab):
    lab.now = 600
    datum = {"MetricName": "Visitors", "Value": 1, "Timestamp": lab.real(130)}
    lab.ask("PutMetricData", Namespace="Board", MetricData=[datum])
    assert data(lab, stat("m1", "Visitors"))["MetricDataResults"][0]["Timestamps"] == [lab.real(120)]


def test_values_with_counts_and_statistic_sets_are_taken(lab):
    lab.ask(
        "PutMetricData",
        Namespace="Board",
        MetricData=[
            {"MetricName": "A", "Values": [1, 5], "Counts": [3, 1], "Unit": "Seconds"},
            {"MetricName": "B", "StatisticValues": {"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5}},
        ],
    )
    lab.now = 60
    results = data(lab, stat("a", "A"), stat("b", "B"))["MetricDataResults"]
    assert [result["Values"] for result in results] == [[2.0], [3.0]]


@pytest.mark.parametrize(
    ("namespace", "datum", "code"),
    [
        ("AWS/EC2", {"Value": 1}, "InvalidParameterValue"),
        ("Board", {}, "InvalidParameterCombination"),
        ("Board", {"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ("Board", {"Values": [1, 2], "Counts": [1]}, "InvalidParameterCombination"),
        ("Board", {"Value": float("nan")}, "InvalidParameterValue"),
        ("Board", {"Values": [1.0] * 151}, "InvalidParameterValue"),
        ("Board", {"Value": 1, "Timestamp": START + timedelta(hours=3)}, "InvalidParameterValue"),
        (
            "Board",
            {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
            "InvalidParameterValue",
        ),
        (
            "Board",
            {"Value": 1, "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "A", "Value": "2"}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_wrong_data_are_refused_as_a_whole(lab, namespace, datum, code):
    good = {"MetricName": "Good", "Value": 1}
    assert error(lab, "PutMetricData", Namespace=namespace, MetricData=[good, {"MetricName": "M", **datum}]) == code
    assert lab.ask("ListMetrics")["Metrics"] == []


SPAN = {"StartTime": START, "EndTime": START + timedelta(minutes=5)}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Period": 60}, "MissingParameter"),
        ({"Period": 90, "Statistics": ["Sum"]}, "InvalidParameterValue"),
        ({"Period": 10, "Statistics": ["Sum"]}, "InvalidParameterValue"),
        ({"Period": 60, "Statistics": ["Sum"], "EndTime": START}, "InvalidParameterValue"),
        ({"Period": 60, "Statistics": ["Sum"], "EndTime": START + timedelta(hours=3)}, "InvalidParameterCombination"),
        ({"Period": 60, "ExtendedStatistics": ["tm99"]}, "InvalidParameterValue"),
    ],
    ids=["no statistic", "no multiple of 60", "too short", "no time", "too many datapoints", "unknown statistic"],
)
def test_wrong_questions_have_awss_errors(lab, params, code):
    assert error(lab, "GetMetricStatistics", Namespace="Board", MetricName="M", **{**SPAN, **params}) == code


def test_metric_data_are_newest_first_unless_asked_otherwise(lab):
    put(lab, "Visitors", 1, 2, 3)
    assert data(lab, stat("m1", "Visitors"))["MetricDataResults"][0]["Values"] == [3, 2, 1]
    ascending = data(lab, stat("m1", "Visitors"), ScanBy="TimestampAscending")
    assert ascending["MetricDataResults"][0]["Values"] == [1, 2, 3]


def test_expressions_compute_over_other_queries_in_any_order(lab):
    put(lab, "Backlog", 10, 40)
    put(lab, "Other", 1)
    lab.now = 120
    result = data(
        lab,
        {"Id": "e2", "Expression": "e1 * 2", "Label": "twice"},
        {"Id": "e1", "Expression": "backlog / 10", "ReturnData": False},
        stat("backlog", "Backlog", ReturnData=False),
    )
    (shown,) = result["MetricDataResults"]
    assert (shown["Id"], shown["Label"], shown["Values"], shown["StatusCode"]) == ("e2", "twice", [8, 2], "Complete")


@pytest.mark.parametrize(
    "queries",
    [
        [{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}],
        [{"Id": "e1", "Expression": "open('x')"}],
        [{"Id": "e1", "Expression": "nobody + 1"}],
        [stat("m1", "A"), stat("m1", "B")],
        [stat("m1", "A", stat="tm99")],
        [stat("m1", "A", period=30)],
    ],
    ids=["a circle", "a call", "an unknown id", "an id twice", "an unknown statistic", "a short period"],
)
def test_wrong_queries_are_refused(lab, queries):
    lab.now = 60
    assert error(lab, "GetMetricData", MetricDataQueries=queries, **SPAN) == "InvalidParameterValue"


def test_metric_data_come_in_pages(lab):
    put(lab, "Visitors", 1, 2, 3, 4, 5)
    values, token, statuses = [], {}, []
    while True:
        result = data(lab, stat("m1", "Visitors"), MaxDatapoints=2, **token)
        values += result["MetricDataResults"][0]["Values"]
        statuses.append(result["MetricDataResults"][0]["StatusCode"])
        if "NextToken" not in result:
            break
        token = {"NextToken": result["NextToken"]}
    assert values == [5, 4, 3, 2, 1]
    assert statuses == ["PartialData", "PartialData", "Complete"]


def test_metrics_are_listed_by_namespace_name_and_dimension(lab):
    lab.store.put([MetricData(CPU, 0, (1.0,))])
    put(lab, "Visitors", 1)
    assert [m["MetricName"] for m in lab.ask("ListMetrics")["Metrics"]] == ["CPUUtilization", "Visitors"]
    wanted = [{"Name": "AutoScalingGroupName"}]
    assert lab.ask("ListMetrics", Dimensions=wanted)["Metrics"] == [
        {
            "Namespace": "AWS/EC2",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "asg"}],
        }
    ]
    assert lab.ask("ListMetrics", Namespace="Board", MetricName="Nothing")["Metrics"] == []
    lab.now = 4 * 3600
    assert lab.ask("ListMetrics", RecentlyActive="PT3H")["Metrics"] == []


def test_many_metrics_are_listed_in_pages(lab):
    lab.ask("PutMetricData", Namespace="Board", MetricData=[{"MetricName": f"M{n}", "Value": 1} for n in range(700)])
    first = lab.ask("ListMetrics")
    second = lab.ask("ListMetrics", NextToken=first["NextToken"])
    assert len(first["Metrics"]) + len(second["Metrics"]) == 700
    assert "NextToken" not in second
    assert error(lab, "ListMetrics", NextToken="made up") == "InvalidNextToken"
