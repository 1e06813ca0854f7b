"""The book of alarms: what CloudWatch remembers of them, and their evaluation once per lab minute.

Times are lab seconds. Not locked: the lab calls everything under its one lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.monitoring.metric_math import MathError
from groundschool.cloud.monitoring.metric_query import MetricQuery, MetricStatistic, answer
from groundschool.cloud.monitoring.metric_store import MetricStore
from groundschool.controlloop.alarm import Alarm, AlarmDecision, AlarmReason, AlarmState, Datapoint, evaluate

HISTORY_LENGTH = 2000
"""Items kept over all alarms. (AWS keeps 30 days.)"""


class HistoryType(StrEnum):
    """AWS: ``HistoryItemType``."""

    CONFIGURATION_UPDATE = "ConfigurationUpdate"
    STATE_UPDATE = "StateUpdate"
    ACTION = "Action"


@dataclass(frozen=True)
class Actions:
    """The ARNs to act on, by state."""

    enabled: bool = True
    alarm: tuple[str, ...] = ()
    ok: tuple[str, ...] = ()
    insufficient_data: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricAlarm:
    """An alarm and its state. Exactly one of ``metric`` and ``queries`` is given; times are lab seconds."""

    alarm: Alarm
    metric: MetricStatistic | None = None
    queries: tuple[MetricQuery, ...] = ()
    actions: Actions = field(default_factory=Actions)
    description: str | None = None
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    state_reason: str = "Unchecked: Initial alarm creation"
    state_reason_data: str | None = None
    configured_at: float = 0.0
    state_updated_at: float = 0.0

    @property
    def name(self) -> str:
        return self.alarm.name


@dataclass(frozen=True)
class HistoryItem:
    at: float
    alarm_name: str
    kind: HistoryType
    summary: str
    data: dict[str, Any]


OnAlarm = Callable[[MetricAlarm, AlarmDecision], None]
"""Carries out the actions of an alarm in ALARM; called with the alarm as it is after the evaluation."""


class AlarmBook:
    """All alarms. ``on_alarm`` may put, delete and set alarms of this book."""

    def __init__(self, store: MetricStore, clock: Clock, on_alarm: OnAlarm) -> None:
        """``clock`` only turns lab seconds into the real times of state reasons."""
        self._store = store
        self._clock = clock
        self._on_alarm = on_alarm
        self._alarms: dict[str, MetricAlarm] = {}
        self._history: deque[HistoryItem] = deque(maxlen=HISTORY_LENGTH)

    def put(self, alarm: MetricAlarm, now: float) -> None:
        """Create an alarm, or replace its configuration: its state is kept, as AWS keeps it, until it is evaluated."""
        former = self._alarms.get(alarm.name)
        if former is not None:
            alarm = replace(
                alarm,
                state=former.state,
                state_reason=former.state_reason,
                state_reason_data=former.state_reason_data,
                state_updated_at=former.state_updated_at,
            )
        else:
            alarm = replace(alarm, state_updated_at=now)
        self._alarms[alarm.name] = replace(alarm, configured_at=now)
        verb = "created" if former is None else "updated"
        self._remember(now, alarm.name, HistoryType.CONFIGURATION_UPDATE, f'Alarm "{alarm.name}" {verb}', {})

    def get(self, name: str) -> MetricAlarm | None:
        return self._alarms.get(name)

    def all(self) -> list[MetricAlarm]:
        """In the order of their names."""
        return [self._alarms[name] for name in sorted(self._alarms)]

    def delete(self, names: Iterable[str], now: float) -> None:
        """All or nothing; raises ResourceNotFound naming those that do not exist."""
        names = list(dict.fromkeys(names))
        self._require(names)
        for name in names:
            del self._alarms[name]
            self._remember(now, name, HistoryType.CONFIGURATION_UPDATE, f'Alarm "{name}" deleted', {})

    def set_actions_enabled(self, names: Iterable[str], enabled: bool, now: float) -> None:
        """Unknown names are passed over, as AWS does."""
        for name in names:
            alarm = self._alarms.get(name)
            if alarm is not None and alarm.actions.enabled is not enabled:
                actions = replace(alarm.actions, enabled=enabled)
                self._alarms[name] = replace(alarm, actions=actions, configured_at=now)
                word = "enabled" if enabled else "disabled"
                summary = f'Alarm "{name}" actions {word}'
                self._remember(now, name, HistoryType.CONFIGURATION_UPDATE, summary, {})

    def set_state(self, name: str, state: AlarmState, reason: str, reason_data: str | None, now: float) -> None:
        """SetAlarmState: holds until the next evaluation; ALARM acts at once. Raises ResourceNotFound."""
        self._require([name])
        datapoints = tuple(reversed(self._datapoints(self._alarms[name], now)))
        decision = AlarmDecision(state, AlarmReason.SET_BY_HAND, reason, datapoints)
        self._settle(name, decision, now, reason_data)
        self._act(name, decision)

    def evaluate(self, now: float) -> None:
        """Evaluate every alarm; call it once per lab minute, after the minute's metrics have been put.

        An alarm in ALARM whose actions are enabled acts at every evaluation, not only at the transition, as AWS has it
        for Auto Scaling actions. All states are settled before the first action, so that an action that looks at other
        alarms (several policies on one group) sees this minute's; alarms that an action deletes act no more.
        """
        decisions = {}
        for alarm in self.all():
            decisions[alarm.name] = evaluate(
                alarm.alarm, self._datapoints(alarm, now), alarm.state, now, self._write_time
            )
            self._settle(alarm.name, decisions[alarm.name], now)
        for name, decision in decisions.items():
            self._act(name, decision)

    def history(self) -> list[HistoryItem]:
        """Oldest first; items of deleted alarms stay."""
        return list(self._history)

    def _datapoints(self, alarm: MetricAlarm, now: float) -> list[Datapoint]:
        """Oldest first. An expression that fails has no data, as on AWS (``EVALUATION_ERROR``)."""
        start, end = alarm.alarm.oldest_needed(now), now // alarm.alarm.period * alarm.alarm.period
        if alarm.metric is not None:
            metric = alarm.metric
            return self._store.query(metric.key, metric.statistic, metric.period, start, end, metric.unit)
        try:
            answers = answer(alarm.queries, self._store, start, end)
        except MathError:
            return []
        returned = {query.query_id for query in alarm.queries if query.return_data}
        series = next(found.series for found in answers if found.query_id in returned)
        return [Datapoint(at, value) for at, value in series.items()]

    def _settle(self, name: str, decision: AlarmDecision, now: float, reason_data: str | None = None) -> None:
        alarm = self._alarms[name]
        if decision.state is alarm.state:
            return
        summary = f"Alarm updated from {alarm.state} to {decision.state}"
        self._remember(now, name, HistoryType.STATE_UPDATE, summary, _state_change(alarm, decision))
        self._alarms[name] = replace(
            alarm,
            state=decision.state,
            state_reason=decision.text,
            state_reason_data=reason_data,
            state_updated_at=now,
        )

    def _act(self, name: str, decision: AlarmDecision) -> None:
        alarm = self._alarms.get(name)
        if alarm is not None and decision.state is AlarmState.ALARM and alarm.actions.enabled and alarm.actions.alarm:
            self._on_alarm(alarm, decision)

    def remember_action(self, alarm_name: str, summary: str, now: float) -> None:
        """Note in the history what an action did: ``Successfully executed action arn:aws:autoscaling:...``."""
        self._remember(now, alarm_name, HistoryType.ACTION, summary, {})

    def _remember(self, now: float, name: str, kind: HistoryType, summary: str, data: dict[str, Any]) -> None:
        self._history.append(HistoryItem(now, name, kind, summary, {"version": "1.0", "type": kind.value, **data}))

    def _write_time(self, at: float) -> str:
        """As CloudWatch writes it in state reasons: day/month/year."""
        return f"{self._clock.wall_time(at):%d/%m/%y %H:%M:%S}"

    def _require(self, names: list[str]) -> None:
        unknown = [name for name in names if name not in self._alarms]
        if unknown:
            raise AwsError("ResourceNotFound", f"Alarms do not exist: {', '.join(unknown)}", status=404)


def _state_change(alarm: MetricAlarm, decision: AlarmDecision) -> dict[str, Any]:
    return {
        "oldState": {"stateValue": alarm.state.value, "stateReason": alarm.state_reason},
        "newState": {"stateValue": decision.state.value, "stateReason": decision.text},
    }
