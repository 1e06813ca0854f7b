"""The alarms that target-tracking policies own in CloudWatch's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.scaling_policy import PolicyType, ScalingPolicy, target_tracking
from groundschool.cloud.monitoring.alarms import Actions, AlarmBook, MetricAlarm
from groundschool.cloud.monitoring.metric_query import MetricQuery, MetricStatistic
from groundschool.cloud.monitoring.metric_shapes import metric_queries
from groundschool.cloud.monitoring.metric_store import MetricKey
from groundschool.controlloop.alarm import Alarm
from groundschool.controlloop.target_tracking import alarms_of
from groundschool.controlloop.tracked_metric import TrackedMetric


def alarm_arn(group: Group, name: str) -> str:
    return f"arn:aws:cloudwatch:{group.region}:{group.account_id}:alarm:{name}"


def put_alarms(book: AlarmBook, group: Group, policy: ScalingPolicy, now: float) -> list[str]:
    """Have the book hold the policy's alarms as the present desired capacity demands; returns their names.

    AWS: the threshold of AlarmLow follows the capacity. An alarm that is right already is left alone, one that a user
    deleted comes back.
    """
    value = target_tracking(policy, group.name)
    alarms = alarms_of(value, group.name, group.desired_capacity, *policy.alarm_uuids)
    wanted = [alarms.high] if alarms.low is None else [alarms.high, alarms.low]
    for alarm in wanted:
        present = book.get(alarm.name)
        if present is None or present.alarm != alarm:
            book.put(_metric_alarm(alarm, policy, value.metric), now)
    return [alarm.name for alarm in wanted]


def delete_alarms(book: AlarmBook, group: Group, policy: ScalingPolicy, now: float) -> None:
    book.delete([name for name in alarm_names(book, group, policy) if book.get(name)], now)


def alarm_names(book: AlarmBook, group: Group, policy: ScalingPolicy) -> list[str]:
    """The alarms that trigger ``policy``: its own two, or those a user made for it."""
    if policy.policy_type is not PolicyType.TARGET_TRACKING:
        return [alarm.name for alarm in book.all() if policy.arn in alarm.actions.alarm]
    alarms = alarms_of(target_tracking(policy, group.name), group.name, group.desired_capacity, *policy.alarm_uuids)
    return [alarm.name for alarm in (alarms.high, alarms.low) if alarm is not None]


def queries_of(policy: ScalingPolicy) -> tuple[MetricQuery, ...]:
    """The policy's metric math. Raises AwsError when CloudWatch would refuse it. The period is 60 s if not given."""
    return metric_queries([_with_period(query) for query in policy.expressions])


def _with_period(query: Mapping[str, Any]) -> dict[str, Any]:
    if not query.get("MetricStat"):
        return dict(query)
    return {**query, "MetricStat": {"Period": 60, **query["MetricStat"]}}


def _metric_alarm(alarm: Alarm, policy: ScalingPolicy, metric: TrackedMetric) -> MetricAlarm:
    actions = Actions(alarm=(policy.arn,))
    description = f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}."
    if policy.expressions:
        queries = queries_of(policy)
        return MetricAlarm(alarm, queries=queries, actions=actions, description=description)
    key = MetricKey(metric.namespace, metric.name, frozenset(metric.dimensions))
    statistic = MetricStatistic(key, metric.statistic, 60, metric.unit)
    return MetricAlarm(alarm, statistic, actions=actions, description=description)
