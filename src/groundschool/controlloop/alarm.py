"""When is an alarm in ALARM: M of N datapoints, and what missing ones mean.

Pure: the caller keeps the alarm's state, reads the metric and carries out actions. Times are lab seconds.
AWS: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class AlarmState(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """AWS: ``TreatMissingData``."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """AWS: ``ComparisonOperator``, those with a static threshold."""

    GREATER = "GreaterThanThreshold"
    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"

    def breached(self, value: float, threshold: float) -> bool:
        return _BREACHED[self](value, threshold)


_BREACHED: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}
_WORDS = {
    Comparison.GREATER: "greater than",
    Comparison.GREATER_OR_EQUAL: "greater than or equal to",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "less than or equal to",
}


class AlarmReason(StrEnum):
    """Why an alarm is in its state."""

    BREACHING = "enough datapoints breach"
    NOT_BREACHING = "too few datapoints breach"
    OLD_BREACH_THEN_MISSING = "the oldest datapoint breaches and everything since is missing or breaches"
    STILL_TOO_YOUNG = "the only datapoints breach, but are too young to tell"
    NO_DATA = "no datapoint in the evaluation range"
    STATE_KEPT = "missing data is ignored: the state is kept"
    SET_BY_HAND = "set by SetAlarmState"


EXTRA_PERIODS_UP_TO_ONE_MINUTE = 4
"""U: how many periods beyond N an alarm with a period of 60 s or less looks back. Four is the smallest number with
which an alarm over basic monitoring (a datapoint every fifth period) does not flap. No real run decides it."""
EXTRA_PERIODS = 2
"""The same for longer periods: AWS's worked example has N = 3, a period of 300 s and an evaluation range of 5."""


@dataclass(frozen=True)
class Datapoint:
    """A metric's value for the period that starts at ``at``."""

    at: float
    value: float


@dataclass(frozen=True)
class Alarm:
    """What is evaluated: M (``datapoints_to_alarm``, None: N) of N (``evaluation_periods``) periods of lab seconds."""

    name: str
    threshold: float
    comparison: Comparison
    period: float = 60.0
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    missing_data: MissingData = MissingData.MISSING

    @property
    def enough(self) -> int:
        """M."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def evaluation_range(self) -> int:
        """How many periods are looked at; more than N, so that older data can stand in for missing ones."""
        extra = EXTRA_PERIODS_UP_TO_ONE_MINUTE if self.period <= 60 else EXTRA_PERIODS
        return self.evaluation_periods + extra

    def breached_by(self, value: float) -> bool:
        return self.comparison.breached(value, self.threshold)

    def oldest_needed(self, now: float) -> float:
        """The start of the first period that an evaluation at ``now`` looks at."""
        return self._newest(now) - (self.evaluation_range - 1) * self.period

    def _newest(self, now: float) -> float:
        """The start of the newest complete period."""
        return (now // self.period - 1) * self.period


@dataclass(frozen=True)
class AlarmDecision:
    """The state an alarm shall have. ``text`` is in CloudWatch's words (``StateReason``).

    ``datapoints`` are those it rests on, newest first: the newest is the value a scaling policy sizes with.
    """

    state: AlarmState
    reason: AlarmReason
    text: str
    datapoints: tuple[Datapoint, ...] = field(default=())

    @property
    def metric(self) -> float | None:
        """The newest value, None without data."""
        return self.datapoints[0].value if self.datapoints else None


def _seconds(at: float) -> str:
    return f"{at:.0f} s"


def evaluate(
    alarm: Alarm,
    datapoints: Iterable[Datapoint],
    state: AlarmState,
    now: float,
    write_time: Callable[[float], str] = _seconds,
) -> AlarmDecision:
    """Decide the state of ``alarm``, now in ``state``, at ``now``. Only complete periods are looked at.

    When fewer than N of the periods in the evaluation range have data, ``missing_data`` fills the rest. With
    ``missing`` and ``ignore`` nothing is filled; a breaching datapoint at least M periods old with nothing but
    breaching or missing ones around it is an ALARM (``missing``) or keeps the state (``ignore``), which is AWS's rule
    against premature and against forgotten alarms. ``write_time`` renders a period's start in the text.
    """
    seen = _in_range(alarm, datapoints, now)
    used = [point for _, point in seen[: alarm.evaluation_periods]]
    missing = alarm.evaluation_periods - len(used)
    breaching = sum(alarm.breached_by(point.value) for point in used)
    if missing and alarm.missing_data is MissingData.BREACHING:
        breaching += missing
    found, reason = AlarmState.OK, AlarmReason.NOT_BREACHING
    if breaching >= alarm.enough:
        found, reason = AlarmState.ALARM, AlarmReason.BREACHING
    elif missing and alarm.missing_data in (MissingData.MISSING, MissingData.IGNORE):
        found, reason = _with_gaps(alarm, seen, state)
    return AlarmDecision(found, reason, _text(alarm, found, used, missing, write_time), tuple(used))


def _in_range(alarm: Alarm, datapoints: Iterable[Datapoint], now: float) -> list[tuple[int, Datapoint]]:
    """(age in periods, datapoint), newest first; the newest complete period has age 1."""
    newest = alarm._newest(now)
    aged = ((round((newest - point.at) / alarm.period) + 1, point) for point in datapoints)
    return sorted(((age, point) for age, point in aged if 1 <= age <= alarm.evaluation_range), key=lambda pair: pair[0])


def _with_gaps(alarm: Alarm, seen: list[tuple[int, Datapoint]], state: AlarmState) -> tuple[AlarmState, AlarmReason]:
    """Fewer than N datapoints, fewer than M of them breaching, and nothing to fill the gaps with."""
    ignore = alarm.missing_data is MissingData.IGNORE
    if not seen:
        return (state, AlarmReason.STATE_KEPT) if ignore else (AlarmState.INSUFFICIENT_DATA, AlarmReason.NO_DATA)
    # AWS's table has "0 - X - -" (M = 2) as OK: one datapoint within the threshold switches the rule off.
    if not all(alarm.breached_by(point.value) for _, point in seen):
        return AlarmState.OK, AlarmReason.NOT_BREACHING
    oldest_age = seen[-1][0]
    if oldest_age >= alarm.enough:
        return (state, AlarmReason.STATE_KEPT) if ignore else (AlarmState.ALARM, AlarmReason.OLD_BREACH_THEN_MISSING)
    # AWS says only that this does "not go immediately into ALARM". A breach is no reason to leave ALARM either.
    kept = state if state is AlarmState.ALARM else AlarmState.OK
    return kept, AlarmReason.STILL_TOO_YOUNG


def _text(
    alarm: Alarm, state: AlarmState, used: list[Datapoint], missing: int, write_time: Callable[[float], str]
) -> str:
    """CloudWatch's ``StateReason``."""
    treated = ""
    if missing and alarm.missing_data in (MissingData.BREACHING, MissingData.NOT_BREACHING):
        word = "Breaching" if alarm.missing_data is MissingData.BREACHING else "NonBreaching"
        treated = f"{_count(missing, 'missing datapoint')} {_was(missing)} treated as [{word}]"
    if not used:
        if treated:
            periods = _count(alarm.evaluation_periods, "period")
            return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
        unknown = alarm.evaluation_periods
        return f"Insufficient Data: {_count(unknown, 'datapoint')} {_was(unknown)} unknown."
    in_alarm = state is AlarmState.ALARM
    shown = [point for point in used if alarm.breached_by(point.value) is in_alarm] or used
    needed = alarm.enough if in_alarm else alarm.evaluation_periods - alarm.enough + 1
    move = "OK -> ALARM" if in_alarm else "ALARM -> OK"
    values = ", ".join(f"{point.value} ({write_time(point.at)})" for point in shown)
    return (
        f"Threshold Crossed: {len(shown)} out of the last {_count(len(used), 'datapoint')} [{values}] "
        f"{_was(len(shown))} {'' if alarm.breached_by(shown[0].value) else 'not '}{_WORDS[alarm.comparison]} "
        f"the threshold ({float(alarm.threshold)}){f' and {treated}' if treated else ''} "
        f"(minimum {_count(needed, 'datapoint')} for {move} transition)."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
