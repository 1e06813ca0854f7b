"""Alarms between boto3's shapes and the lab's values."""

from __future__ import annotations

import json
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params
from groundschool.cloud.monitoring.alarms import Actions, HistoryItem, MetricAlarm
from groundschool.cloud.monitoring.metric_query import MetricQuery, MetricStatistic, common_period
from groundschool.cloud.monitoring.metric_shapes import (
    dimensions_of,
    invalid_combination,
    invalid_value,
    known_statistic,
    metric_key,
    metric_queries,
    query_shape,
    required,
    whole_period,
)
from groundschool.cloud.monitoring.metric_store import SIMPLE_STATISTICS
from groundschool.controlloop.alarm import Alarm, Comparison, MissingData

UNSUPPORTED = ("ThresholdMetricId", "EvaluationCriteria", "EvaluationWindow", "EvaluationInterval")
"""Anomaly detection and PromQL alarms."""


def alarm_of(params: Params) -> MetricAlarm:
    """PutMetricAlarm's input as an alarm; raises what AWS raises, and says what the lab does not support.

    ``Tags`` are kept by :mod:`groundschool.cloud.monitoring.alarm_tags`.
    """
    for name in UNSUPPORTED:
        if params.get(name) is not None:
            raise invalid_value(f"The parameter {name} is not supported by the lab.")
    required(params, "AlarmName", "ComparisonOperator", "EvaluationPeriods", "Threshold")
    metric, queries = _metric_of(params), _queries_of(params)
    if (metric is None) == (not queries):
        raise invalid_combination("Exactly one of MetricName and Metrics must be specified.")
    periods, enough = int(params["EvaluationPeriods"]), params.get("DatapointsToAlarm")
    if periods < 1:
        raise invalid_value("The parameter EvaluationPeriods must be greater than or equal to 1.")
    if enough is not None and not 1 <= int(enough) <= periods:
        raise invalid_value("The parameter DatapointsToAlarm must be between 1 and EvaluationPeriods.")
    alarm = Alarm(
        params["AlarmName"],
        threshold=float(params["Threshold"]),
        comparison=_one_of(Comparison, params, "ComparisonOperator"),
        period=float(common_period(queries) if metric is None else metric.period),
        evaluation_periods=periods,
        datapoints_to_alarm=None if enough is None else int(enough),
        missing_data=_one_of(MissingData, {"TreatMissingData": "missing", **params}, "TreatMissingData"),
    )
    return MetricAlarm(alarm, metric, queries, _actions_of(params), params.get("AlarmDescription"))


def _one_of(kind: Any, params: Params, name: str) -> Any:
    try:
        return kind(params[name])
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise invalid_value(f"The value {params[name]} for parameter {name} is not one of: {known}.") from None


def _metric_of(params: Params) -> MetricStatistic | None:
    if params.get("MetricName") is None:
        return None
    required(params, "Namespace", "Period")
    statistics = [name for name in (params.get("Statistic"), params.get("ExtendedStatistic")) if name]
    if len(statistics) != 1:
        raise invalid_combination("Exactly one of Statistic and ExtendedStatistic must be specified.")
    key = metric_key(params["Namespace"], params["MetricName"], params.get("Dimensions"))
    return MetricStatistic(key, known_statistic(statistics[0]), whole_period(params), params.get("Unit"))


def _queries_of(params: Params) -> tuple[MetricQuery, ...]:
    queries = metric_queries(params.get("Metrics") or [])
    if queries and sum(query.return_data for query in queries) != 1:
        raise invalid_combination("Exactly one element of the metrics list should return data.")
    return queries


def _actions_of(params: Params) -> Actions:
    return Actions(
        enabled=params.get("ActionsEnabled", True) is not False,
        alarm=tuple(params.get("AlarmActions") or ()),
        ok=tuple(params.get("OKActions") or ()),
        insufficient_data=tuple(params.get("InsufficientDataActions") or ()),
    )


def alarm_shape(entry: MetricAlarm, call: Call, clock: Clock) -> Params:
    """An alarm as DescribeAlarms answers it."""
    alarm, changed = entry.alarm, clock.wall_time(entry.state_updated_at)
    shape: Params = {
        "AlarmName": alarm.name,
        "AlarmArn": f"arn:aws:cloudwatch:{call.region}:{call.account_id}:alarm:{alarm.name}",
        "AlarmConfigurationUpdatedTimestamp": clock.wall_time(entry.configured_at),
        "ActionsEnabled": entry.actions.enabled,
        "OKActions": list(entry.actions.ok),
        "AlarmActions": list(entry.actions.alarm),
        "InsufficientDataActions": list(entry.actions.insufficient_data),
        "StateValue": entry.state.value,
        "StateReason": entry.state_reason,
        "StateUpdatedTimestamp": changed,
        "StateTransitionedTimestamp": changed,
        "EvaluationPeriods": alarm.evaluation_periods,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison.value,
        "TreatMissingData": alarm.missing_data.value,
        "Dimensions": [],
    }
    optional = {
        "AlarmDescription": entry.description,
        "StateReasonData": entry.state_reason_data,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
    }
    shape |= {name: value for name, value in optional.items() if value is not None}
    if entry.metric is not None:
        return shape | _metric_shape(entry.metric)
    return shape | {"Metrics": [query_shape(query) for query in entry.queries]}


def _metric_shape(metric: MetricStatistic) -> Params:
    kind = "Statistic" if metric.statistic in SIMPLE_STATISTICS else "ExtendedStatistic"
    shape: Params = {
        "Namespace": metric.key.namespace,
        "MetricName": metric.key.name,
        "Dimensions": dimensions_of(metric.key),
        "Period": metric.period,
        kind: metric.statistic,
    }
    return shape | ({"Unit": metric.unit} if metric.unit else {})


def history_shape(item: HistoryItem, clock: Clock) -> Params:
    return {
        "AlarmName": item.alarm_name,
        "AlarmType": "MetricAlarm",
        "Timestamp": clock.wall_time(item.at),
        "HistoryItemType": item.kind.value,
        "HistorySummary": item.summary,
        "HistoryData": json.dumps(item.data),
    }


def checked_json(text: str | None) -> str | None:
    """``StateReasonData``; raises InvalidFormat when it is not JSON."""
    try:
        if text is not None:
            json.loads(text)
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData was not valid JSON") from None
    return text
