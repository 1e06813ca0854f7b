"""Replays of a real run in virtual time, compared with its log: as it is, with other values, with other rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from .real_runs import REAL_RUNS
from .recorded_run import AlarmChange, Change, Kind, RealRun, Value, at
from .virtual_group import THE_CONTROL_LOOP, Rules, VirtualGroup

Values = tuple[float, ...]


@dataclass(frozen=True)
class Compared:
    """One event: AWS's time, ours (None: it did not happen), and whether a value was fitted to that time."""

    event: str
    real: float
    ours: float | None
    fitted: bool

    @property
    def error(self) -> float:
        """Seconds, infinite when the event did not happen."""
        return float("inf") if self.ours is None else self.ours - self.real


@dataclass(frozen=True)
class Comparison:
    run: RealRun
    capacities: tuple[tuple[int, int], ...]
    events: tuple[Compared, ...]

    @property
    def same_sequence(self) -> bool:
        return self.capacities == tuple((change.before, change.after) for change in self.run.changes)

    @property
    def in_time(self) -> bool:
        return all(abs(event.error) <= self.run.tolerance for event in self.events)

    @property
    def agrees(self) -> bool:
        return self.same_sequence and self.in_time

    @property
    def badness(self) -> tuple[int, float]:
        """To choose between values: first the sequence, then the times."""
        wrong = abs(len(self.capacities) - len(self.run.changes)) + sum(
            ours != (change.before, change.after)
            for ours, change in zip(self.capacities, self.run.changes, strict=False)
        )
        return wrong, sum(min(abs(event.error), 3600.0) for event in self.events)

    def largest_error(self, fitted: bool) -> float | None:
        errors = [event.error for event in self.events if event.fitted is fitted]
        return max(errors, key=abs) if errors else None


def used(run: RealRun) -> Values:
    return tuple(value.used for value in run.values)


@cache
def compare(name: str, values: Values | None = None, rules: Rules = THE_CONTROL_LOOP, shift: int = 0) -> Comparison:
    """The run called ``name`` in virtual time, with ``values`` instead of its own and ``rules`` instead of ours.

    ``shift``: seconds by which all alarms are evaluated later than in the log.
    """
    run = next(run for run in REAL_RUNS if run.name == name)
    setup = run.setup(*(values or used(run)))
    high, low = ((second + shift) % 60 for second in (setup.high_evaluated_at, setup.low_evaluated_at))
    setup = replace(setup, high_evaluated_at=high, low_evaluated_at=low)
    group = VirtualGroup(setup, rules).run(at(run.begin), at(run.end) + shift)
    events = [_compared(run, event, _time_of(event, group)) for event in (*run.changes, *run.alarms)]
    capacities = tuple((change.before, change.after) for change in group.changes)
    return Comparison(run, capacities, tuple(sorted(events, key=lambda event: event.real)))


def _compared(run: RealRun, event: Change | AlarmChange, ours: float | None) -> Compared:
    what = f"capacity {event.name}" if isinstance(event, Change) else event.name
    return Compared(what, at(event.at), ours, fitted=f"time of {event.name}" not in run.predicted)


def _time_of(event: Change | AlarmChange, group: VirtualGroup) -> float | None:
    if isinstance(event, Change):
        times = [c.at for c in group.changes if (c.before, c.after) == (event.before, event.after)]
    else:
        times = [t.at for t in group.transitions if (t.alarm, t.state) == (event.alarm, event.state)]
    return min(times, key=lambda time: abs(time - at(event.at)), default=None)


@dataclass(frozen=True)
class Sensitivity:
    """Which of the tried values, all else as it is, leave the capacities exact, and which the times too."""

    run: RealRun
    value: Value
    same_sequence: Values
    agrees: Values


def sensitivity(run: RealRun, position: int) -> Sensitivity:
    value = run.values[position]
    found = {tried: compare(run.name, _with(used(run), position, tried)) for tried in value.tried}
    return Sensitivity(
        run,
        value,
        tuple(tried for tried, comparison in found.items() if comparison.same_sequence),
        tuple(tried for tried, comparison in found.items() if comparison.agrees),
    )


def _with(values: Values, position: int, tried: float) -> Values:
    return (*values[:position], tried, *values[position + 1 :])


def refitted(run: RealRun, rules: Rules) -> Comparison:
    """The best that ``rules`` can do when every value that is not recorded may be chosen anew for them.

    One value after the other, twice. A value recorded to the minute may move by a minute.
    """
    values = used(run)
    for position in [*range(len(values))] * 2:
        value = run.values[position]
        slack = 60.0 if value.kind is Kind.ROUGH else float("inf")
        allowed = [tried for tried in value.tried if abs(tried - value.used) <= slack]
        candidates = [values, *(_with(values, position, tried) for tried in allowed)]
        values = min(candidates, key=lambda chosen: compare(run.name, chosen, rules).badness)
        if compare(run.name, values, rules).agrees:
            break
    return compare(run.name, values, rules)
