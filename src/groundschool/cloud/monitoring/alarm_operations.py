"""CloudWatch's operations on alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from groundschool.clock import Clock
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.monitoring.alarm_shapes import alarm_of, alarm_shape, checked_json, history_shape
from groundschool.cloud.monitoring.alarms import AlarmBook, HistoryItem, HistoryType, MetricAlarm
from groundschool.cloud.monitoring.metric_shapes import invalid_combination, invalid_value, lab_seconds, required
from groundschool.cloud.monitoring.metric_shapes import metric_key as key_of
from groundschool.cloud.monitoring.pagination import page
from groundschool.controlloop.alarm import AlarmState

MOST_RECORDS = 100
"""D: alarms or history items in one page."""


class AlarmOperations:
    """Handlers named after botocore's operations. Not locked: the lab calls them under its one lock."""

    def __init__(self, clock: Clock, alarms: AlarmBook, made: Callable[[str, Params], None]) -> None:
        """``made`` hears of each alarm that was not there before, with the parameters that made it."""
        self._clock = clock
        self._alarms = alarms
        self._made = made

    def put_metric_alarm(self, _call: Call, params: Params) -> Result:
        alarm = alarm_of(params)
        if alarm.name not in {each.name for each in self._alarms.all()}:
            self._made(alarm.name, params)
        self._alarms.put(alarm, self._clock.now())
        return {}

    def describe_alarms(self, call: Call, params: Params) -> Result:
        """Metric alarms by names or prefix, state and action prefix; the lab has no composite alarms."""
        names, prefix = params.get("AlarmNames") or [], params.get("AlarmNamePrefix")
        if names and prefix:
            raise invalid_combination("AlarmNames and AlarmNamePrefix cannot both be specified.")
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        found = self._alarms.all() if "MetricAlarm" in types else []
        state, action = params.get("StateValue"), params.get("ActionPrefix")
        found = [
            alarm
            for alarm in found
            if (not names or alarm.name in names)
            and alarm.name.startswith(prefix or "")
            and (state is None or alarm.state == _state(state))
            and (action is None or _acts_on(alarm, action))
        ]
        shown, token = page(found, params.get("NextToken"), _page_size(params))
        result = {"MetricAlarms": self._shapes(shown, call), "CompositeAlarms": []}
        return result | ({"NextToken": token} if token else {})

    def describe_alarms_for_metric(self, call: Call, params: Params) -> Result:
        """The alarms on exactly this metric: all its dimensions, none besides."""
        required(params, "MetricName", "Namespace")
        key = key_of(params["Namespace"], params["MetricName"], params.get("Dimensions"))
        statistic = params.get("Statistic") or params.get("ExtendedStatistic")
        found = [
            alarm
            for alarm in self._alarms.all()
            if (metric := alarm.metric) is not None
            and metric.key == key
            and statistic in (None, metric.statistic)
            and params.get("Period") in (None, metric.period)
            and params.get("Unit") in (None, metric.unit)
        ]
        return {"MetricAlarms": self._shapes(found, call)}

    def describe_alarm_history(self, _call: Call, params: Params) -> Result:
        """Newest first unless ``ScanBy`` says otherwise."""
        kind = params.get("HistoryItemType")
        if kind is not None and kind not in {member.value for member in HistoryType}:
            raise invalid_value(f"The value {kind} for parameter HistoryItemType is invalid.")
        if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]):
            return {"AlarmHistoryItems": []}
        found = [item for item in self._alarms.history() if self._is_asked_for(item, params)]
        if params.get("ScanBy") != "TimestampAscending":
            found.reverse()
        shown, token = page(found, params.get("NextToken"), _page_size(params))
        items = [history_shape(item, self._clock) for item in shown]
        return {"AlarmHistoryItems": items, **({"NextToken": token} if token else {})}

    def delete_alarms(self, _call: Call, params: Params) -> Result:
        required(params, "AlarmNames")
        self._alarms.delete(params["AlarmNames"], self._clock.now())
        return {}

    def set_alarm_state(self, _call: Call, params: Params) -> Result:
        """Holds until the next evaluation, within a lab minute. ALARM carries out the alarm's actions at once."""
        required(params, "AlarmName", "StateValue", "StateReason")
        data = checked_json(params.get("StateReasonData"))
        state = _state(params["StateValue"])
        self._alarms.set_state(params["AlarmName"], state, params["StateReason"], data, self._clock.now())
        return {}

    def enable_alarm_actions(self, _call: Call, params: Params) -> Result:
        required(params, "AlarmNames")
        self._alarms.set_actions_enabled(params["AlarmNames"], True, self._clock.now())
        return {}

    def disable_alarm_actions(self, _call: Call, params: Params) -> Result:
        required(params, "AlarmNames")
        self._alarms.set_actions_enabled(params["AlarmNames"], False, self._clock.now())
        return {}

    def _shapes(self, alarms: Iterable[MetricAlarm], call: Call) -> list[Params]:
        return [alarm_shape(alarm, call, self._clock) for alarm in alarms]

    def _is_asked_for(self, item: HistoryItem, params: Params) -> bool:
        if params.get("AlarmName") not in (None, item.alarm_name):
            return False
        if params.get("HistoryItemType") not in (None, item.kind.value):
            return False
        start, end = params.get("StartDate"), params.get("EndDate")
        after_start = start is None or item.at >= lab_seconds(start, self._clock)
        return after_start and (end is None or item.at <= lab_seconds(end, self._clock))


def _state(value: str) -> AlarmState:
    try:
        return AlarmState(value)
    except ValueError:
        raise invalid_value(f"The value {value} for parameter StateValue is invalid.") from None


def _acts_on(alarm: MetricAlarm, prefix: str) -> bool:
    actions = alarm.actions
    return any(arn.startswith(prefix) for arn in actions.alarm + actions.ok + actions.insufficient_data)


def _page_size(params: Params) -> int:
    size = int(params.get("MaxRecords") or MOST_RECORDS)
    if not 1 <= size <= MOST_RECORDS:
        raise invalid_value(f"The parameter MaxRecords must be between 1 and {MOST_RECORDS}.")
    return size
