"""The real runs the control loop is checked against, and the page that shows the comparison.

The runs are third parties' published logs of real Auto Scaling groups. What a log does not tell (the load's shape, the
phase of basic monitoring) is assumed and said so in ``assumed``; capacities and times are compared, not fitted, unless
``assumed`` says "fitted". Write the page anew with::

    python -m tests.controlloop.real_runs > docs/control-loop-validation.md
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from groundschool.controlloop.alarm import AlarmState

from .virtual_group import Load, Setup, VirtualGroup

ONE_EVALUATION = 60
"""Alarms are evaluated once per minute, and a log does not tell at which second."""


def at(clock: str) -> int:
    """``hh:mm:ss`` or ``hh:mm`` as seconds since midnight."""
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return hours * 3600 + minutes * 60 + seconds


def clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


def burn(first: str, last: str) -> Load:
    """One instance at 100 % from ``first`` to ``last``, the others idle: a stress tool run by hand."""
    return lambda now, n, serving: 100.0 if n == 0 and at(first) <= now < at(last) else 0.0


def shared(*points: tuple[str, float]) -> Load:
    """A load balanced over all instances: percent of one instance's CPU in total, linear between ``points``."""
    known = [(at(moment), total) for moment, total in points]

    def load(now: float, n: int, serving: int) -> float:
        if now <= known[0][0]:
            return min(100.0, known[0][1] / serving)
        for (begin, low), (end, high) in pairwise(known):
            if begin <= now < end:
                return min(100.0, (low + (high - low) * (now - begin) / (end - begin)) / serving)
        return min(100.0, known[-1][1] / serving)

    return load


@dataclass(frozen=True)
class Change:
    """A change of capacity in the log."""

    at: str
    before: int
    after: int
    tolerance: int = ONE_EVALUATION


@dataclass(frozen=True)
class AlarmChange:
    """An alarm's transition in the log."""

    at: str
    alarm: str
    state: AlarmState
    tolerance: int = ONE_EVALUATION


@dataclass(frozen=True)
class RealRun:
    name: str
    known: str
    assumed: str
    begin: str
    end: str
    setup: Setup
    changes: tuple[Change, ...]
    alarms: tuple[AlarmChange, ...] = ()
    remark: str = ""


V1 = RealRun(
    name="V1",
    known="t3.micro behind an ALB, 2 to 4 instances, target 30, warm-up 60 s; from 11:27 one of two instances burns, "
    "the load stops at about 11:45",
    assumed="basic monitoring, published at minutes ending in 2 and 7 (fitted to the first scale-out; with detailed "
    "monitoring it would have come at 11:30); the burn is 100 % of one instance; launch to InService 65 s as logged",
    begin="11:00",
    end="12:10",
    setup=Setup(
        target=30,
        minimum=2,
        maximum=4,
        desired=2,
        load=burn("11:27", "11:45"),
        warm_up=60,
        launch_takes=65,
        published_every=300,
        published_at=120,
        high_evaluated_at=42,
        low_evaluated_at=20,
    ),
    changes=(Change("11:34:42", 2, 4), Change("12:01:20", 4, 3), Change("12:01:40", 3, 2)),
    remark="The log's two scale-ins are 20 s apart, ours one evaluation: AWS puts AlarmLow anew after the first and "
    "seems to evaluate it at once.",
)
V2 = RealRun(
    name="V2",
    known="t3.micro, detailed monitoring, no ALB, 1 to 2 instances, target 85, warm-up 300 s",
    assumed="the stress is 100 % of the first instance from 13:49:30 to 13:57:30 (start "
    "fitted to the first ALARM, end fitted to the scale-in); launch to InService 20 s",
    begin="13:30",
    end="14:20",
    setup=Setup(
        target=85,
        minimum=1,
        maximum=2,
        desired=1,
        load=burn("13:49:30", "13:57:30"),
        launch_takes=20,
        high_evaluated_at=10,
        low_evaluated_at=9,
    ),
    changes=(Change("13:53:10", 1, 2), Change("14:12:09", 2, 1)),
    alarms=(
        AlarmChange("13:53:10", "cpu AlarmHigh", AlarmState.ALARM),
        AlarmChange("13:59:10", "cpu AlarmHigh", AlarmState.OK),
    ),
    remark="From AlarmHigh's OK (the first low datapoint) to AlarmLow's fifteenth are fourteen minutes by the rules; "
    "the log has thirteen. Whatever the load, one of the two is an evaluation off.",
)
V3 = RealRun(
    name="V3",
    known="2018, default warm-up (300 s), scale-outs 9 minutes apart, scale-ins 59 s apart",
    assumed="target 50; detailed monitoring; one shared load that rises slowly past two, then three instances' worth "
    "and ends at 08:50 (rise fitted to the two scale-outs, end to the first scale-in)",
    begin="08:00",
    end="09:15",
    setup=Setup(
        target=50,
        minimum=2,
        maximum=4,
        desired=2,
        load=shared(("08:30", 80.0), ("08:34", 101.0), ("08:43", 151.0), ("08:50", 190.0), ("08:50:30", 20.0)),
        launch_takes=45,
        high_evaluated_at=37,
        low_evaluated_at=25,
    ),
    changes=(
        Change("08:37:37", 2, 3),
        Change("08:46:37", 3, 4),
        Change("09:05:25", 4, 3),
        Change("09:06:24", 3, 2),
    ),
)
V5 = RealRun(
    name="V5",
    known="a group of 7; AlarmLow in ALARM at 18:56:06, the instance is removed at 19:12:06",
    assumed="target 50; a shared load that falls at 18:41 (fitted to the ALARM); the 16 minutes from alarm to action "
    "are those of a second policy that does not agree earlier (fitted: its metric falls at 18:57). No published rule "
    "explains them otherwise",
    begin="18:00",
    end="19:12:30",
    setup=Setup(
        target=50,
        minimum=1,
        maximum=10,
        desired=7,
        load=shared(("18:40", 330.0), ("18:41", 280.0)),
        other_policy=lambda now, n, serving: 45.0 if now < at("18:57") else 30.0,
        high_evaluated_at=6,
        low_evaluated_at=6,
    ),
    changes=(Change("19:12:06", 7, 6),),
    alarms=(AlarmChange("18:56:06", "cpu AlarmLow", AlarmState.ALARM),),
    remark="What it does check: AlarmLow's threshold at 7 (0.857 of the target), one instance per action, and that an "
    "alarm in ALARM acts again each minute, on the same second.",
)
V6 = RealRun(
    name="V6",
    known='1 to 3 instances, target 30, 1 to 3 "about 5 min after the stress began"',
    assumed="the stress begins at 00:10:40 with 100 % of the only instance; basic monitoring, published at 00:13:50 "
    "(fitted: see below)",
    begin="00:00",
    end="00:25",
    setup=Setup(
        target=30,
        minimum=1,
        maximum=3,
        desired=1,
        load=burn("00:10:40", "00:25"),
        published_every=300,
        published_at=230,
    ),
    changes=(Change("00:15:40", 1, 3),),
)

REAL_RUNS = (V1, V2, V3, V5, V6)


@cache
def replay(name: str) -> VirtualGroup:
    """The run in virtual time."""
    run = next(run for run in REAL_RUNS if run.name == name)
    return VirtualGroup(run.setup).run(at(run.begin), at(run.end))


def render() -> str:
    """The page ``docs/control-loop-validation.md``."""
    lines = [
        "# The control loop against real runs",
        "",
        "This page is written by `python -m tests.controlloop.real_runs`; a test fails when it drifts.",
        "",
        "The functions of `groundschool.controlloop` drive a group in virtual time, and the result is compared with",
        "the logs of real Auto Scaling groups. The sequence of capacities must be exact, each time within the",
        "tolerance the log itself allows: alarms are evaluated once per minute, at a second the log tells only for",
        "those that acted (taken from it here). A log does not tell everything; what had to be assumed is said, and",
        "where an assumption was chosen so that a time comes out, the word is *fitted*. A fitted time proves nothing;",
        "what it leads to afterwards does.",
        "",
        "This is a check of consistency, not a prediction. The constants of the model (3 and 15 datapoints, the",
        "threshold of AlarmLow, how far an alarm looks back) come from these and a few other logs. Not fitted are V1's",
        "first scale-in, sixteen minutes after the load stopped; V2's capacities and its alarm going OK; in V1 and V3",
        "that instances go one at a time, and the time between. V5's two times are both fitted, and so is V6's one.",
    ]
    for run in REAL_RUNS:
        lines += ["", f"## {run.name}", "", f"- Known: {run.known}.", f"- Assumed: {run.assumed}.", ""]
        lines += ["| Event | AWS | Virtual | Difference | Tolerance |", "|---|---|---|---|---|"]
        lines += [_row(*event) for event in compared(run)]
        if run.remark:
            lines += ["", run.remark]
    lines += ["", *_phases_of_v6()]
    return "\n".join(lines) + "\n"


def _phases_of_v6() -> list[str]:
    """What the phase of basic monitoring, which no log tells, does to V6."""
    phases = range(0, 300, 10)
    groups = [VirtualGroup(replace(V6.setup, published_at=phase)).run(at(V6.begin), at(V6.end)) for phase in phases]
    begun = at("00:10:40")
    direct = sorted(group.changes[0].at - begun for group in groups if group.changes[0].after == 3)
    in_steps = sorted(group.changes[-1].at - begun for group in groups if group.changes[0].after < 3)
    return [
        f"Over {len(phases)} phases of basic monitoring the virtual group goes from 1 to 3 at once in {len(direct)}, "
        f"after {clock(direct[0])[3:]} to {clock(direct[-1])[3:]},",
        f"and by way of 2 in {len(in_steps)}, complete after {clock(in_steps[0])[3:]} to {clock(in_steps[-1])[3:]}: a "
        "datapoint that covers only part of the stress asks for less.",
    ]


def compared(run: RealRun) -> list[tuple[str, float, float | None, int]]:
    """(event, AWS's time, ours or None when it did not happen, tolerance in seconds), in AWS's order."""
    replayed = replay(run.name)
    events: list[tuple[str, float, float | None, int]] = []
    for n, change in enumerate(run.changes):
        ours = replayed.changes[n].at if n < len(replayed.changes) else None
        events.append((f"capacity {change.before} to {change.after}", at(change.at), ours, change.tolerance))
    for alarm in run.alarms:
        times = [t.at for t in replayed.transitions if (t.alarm, t.state) == (alarm.alarm, alarm.state)]
        expected = at(alarm.at)
        ours = min(times, key=lambda time: abs(time - expected), default=None)
        events.append((f"{alarm.alarm} {alarm.state}", expected, ours, alarm.tolerance))
    return sorted(events, key=lambda event: event[1])


def _row(event: str, real: float, ours: float | None, tolerance: int) -> str:
    if ours is None:
        return f"| {event} | {clock(real)} | never | | {tolerance} s |"
    return f"| {event} | {clock(real)} | {clock(ours)} | {ours - real:+.0f} s | {tolerance} s |"


if __name__ == "__main__":
    print(render(), end="")
