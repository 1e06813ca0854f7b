"""Writes the page that shows the comparison: ``python -m tests.controlloop.validation_page``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from .comparison import Comparison, Sensitivity, compare, refitted, sensitivity, used
from .real_runs import PHASES, REAL_RUNS, V1, V2, V6
from .recorded_run import Kind, RealRun, clock
from .virtual_group import Rules
from .wrong_rules import WRONG_RULES, low_of

PAGE = Path(__file__).parents[2] / "docs" / "control-loop-validation.md"

INTRODUCTION = """\
# The control loop against real runs

This page is written by `python -m tests.controlloop.validation_page`; a test fails when it drifts.

The functions of `groundschool.controlloop` drive a group in virtual time, and the result is compared with the published
logs of five real Auto Scaling groups: every size and every time of a change of capacity, and the alarms' transitions.
The sequence of capacities must be exact; a time may be off by one evaluation (60 s), because alarms are evaluated once
per minute and a log tells at which second only of those that acted. That second is taken from the log, so errors
are close to whole minutes.

No log tells its load by the minute. What is missing was **fitted**: chosen so that one size or one time comes out. An
observation used for a fit proves nothing and is not counted as predicted; all others are. What is **assumed**, or
recorded only to the minute, was not chosen by an observation that counts as predicted.

What this cannot be is a test on unknown ground: the constants of the model (3 and 15 datapoints, the threshold of
AlarmLow, one instance per scale-in) come from these logs, a few others and AWS's guides. That the runs decide most of
them, and which they do not, is shown by the negative controls."""

SENSITIVITY = """\
## How much hangs on each value

Each value is changed alone. Where nearly all values give the right capacities, these do not rest on the fit; where
few give the right times, a time was fitted, or the log is really that exact."""

SECONDS = """\
The second at which an alarm is evaluated is taken from its first action in the log. With all of them 0, 10, ... 50 s
later (the times of these first actions are then wrong by up to that much; V2's scale-in is at the limit without it):

"""
SHIFTS = tuple(range(0, 60, 10))

UNFITTED = """\
## With nothing fitted

The phase of basic monitoring is chance. Over all its values (every 10 s of five minutes), without looking at the log:

"""

LEAVE_ONE_OUT = """\
## AlarmLow's datapoints, from one run for the other

No fitted value of V1 and V2 was chosen by a scale-in, so their scale-ins can measure how many datapoints AlarmLow
needs. A number found in one run predicts the other; the notification of V5's alarm says 15.

"""

CONTROLS = """\
## Negative controls

A comparison that cannot fail proves nothing. Each rule below is wrong, and takes the place of the right one.
**found**: the run cannot come out, although every fitted and assumed value was chosen anew for the wrong rule, and
those recorded to the minute moved by one (a search by one value after the other). *refit*: it fails with the values
as they are, but others hide the mistake. -: the run comes out all the same.

"""

UNDECIDED = """
What no run finds, these runs cannot tell. 2 of 2 datapoints differ from 3 of 3 by one minute, which is the tolerance;
that AlarmHigh takes three is seen in AWS's own alarms, not here. How far an alarm looks back beyond its N periods
changes none of these runs; the lab's value follows from CloudWatch's rules, see `controlloop/alarm.py`."""


def render() -> str:
    parts = [
        INTRODUCTION,
        _summary(),
        SENSITIVITY,
        _sensitivities(),
        UNFITTED + _unfitted(),
        LEAVE_ONE_OUT + _periods(),
    ]
    parts += [CONTROLS + _controls() + "\n" + UNDECIDED, "## The runs", *(_run(run) for run in REAL_RUNS)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _summary() -> str:
    head = ["Run", "Given", "Given to the minute", "Assumed", "Fitted", "Predicted, of compared", "Capacities"]
    head += ["Largest error, predicted times", "Largest error, fitted times", "Tolerance"]
    rows = [_summary_row(compare(run.name)) for run in REAL_RUNS]
    fitted, predicted, observed = (sum(numbers) for numbers in zip(*(_numbers(run) for run in REAL_RUNS), strict=True))
    total = f"Together: {fitted} fitted values, {predicted} of {observed} observations predicted."
    return "## What each run proves\n\n" + _table(head, iter(rows)) + "\n\n" + total


def _numbers(run: RealRun) -> tuple[int, int, int]:
    """(fitted values, predicted observations, all observations)."""
    return len(run.named(Kind.FITTED)), len(run.predicted), len(run.observations)


def _summary_row(comparison: Comparison) -> list[str]:
    run = comparison.run
    fitted, predicted, observed = _numbers(run)
    return [
        run.name,
        run.gist,
        _listed(run.named(Kind.ROUGH)),
        _listed((*run.assumed, *run.named(Kind.ASSUMED))),
        f"**{fitted}**: {_listed(run.named(Kind.FITTED))}",
        f"**{predicted}** of {observed}: {_listed(run.predicted)}",
        "exact" if comparison.same_sequence else "DIFFERENT",
        _error(comparison.largest_error(fitted=False)),
        _error(comparison.largest_error(fitted=True)),
        f"{run.tolerance} s",
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "-"


def _error(seconds: float | None) -> str:
    return "none compared" if seconds is None else f"{seconds:+.0f} s"


def _sensitivities() -> str:
    found = (sensitivity(run, n) for run in REAL_RUNS for n in range(len(run.values)))
    head = ["Run", "Value", "Kind", "Used", "Tried", "Capacities exact", "Times in tolerance, too"]
    return _table(head, (_sensitivity_row(each) for each in found)) + "\n\n" + SECONDS + _other_seconds()


def _other_seconds() -> str:
    rows = []
    for run in REAL_RUNS:
        replays = [compare(run.name, shift=shift) for shift in SHIFTS]
        numbers = (sum(replay.same_sequence for replay in replays), sum(replay.agrees for replay in replays))
        rows.append([run.name, *(f"{number} of {len(SHIFTS)}" for number in numbers)])
    return _table(["Run", "Capacities exact", "Times in tolerance, too"], iter(rows))


def _sensitivity_row(found: Sensitivity) -> list[str]:
    value = found.value
    return [
        found.run.name,
        value.name,
        value.kind.value,
        value.show(value.used),
        f"{len(value.tried)}: {value.show(value.tried[0])} to {value.show(value.tried[-1])}",
        f"{len(found.same_sequence)}: {_ranges(found, found.same_sequence)}",
        f"{len(found.agrees)}: {_ranges(found, found.agrees)}",
    ]


def _ranges(found: Sensitivity, right: Sequence[float]) -> str:
    """The values of ``right``, neighbours among those tried joined."""
    spans: list[list[float]] = []
    for n, tried in enumerate(found.value.tried):
        if tried not in right:
            continue
        if spans and spans[-1][-1] == found.value.tried[n - 1]:
            spans[-1].append(tried)
        else:
            spans.append([tried])
    show = found.value.show
    return ", ".join(show(span[0]) if len(span) == 1 else f"{show(span[0])} to {show(span[-1])}" for span in spans)


def _unfitted() -> str:
    head = ["Run", "Phases with the exact capacities", "Event", "AWS", "Virtual, in those phases"]
    return _table(head, (row for run in (V1, V6) for row in _unfitted_rows(run)))


def _unfitted_rows(run: RealRun) -> Iterator[list[str]]:
    """For a run whose first value is the phase of basic monitoring."""
    replays = [compare(run.name, (phase, *used(run)[1:])) for phase in PHASES]
    exact = [replay for replay in replays if replay.same_sequence]
    for n, event in enumerate(exact[0].events):
        times = [ours for replay in exact if (ours := replay.events[n].ours) is not None]
        span = f"{clock(min(times))} to {clock(max(times))}"
        yield [run.name, f"{len(exact)} of {len(PHASES)}", event.event, clock(event.real), span]


def allowed_low_periods(run: RealRun) -> list[int]:
    """The numbers of AlarmLow's datapoints with which ``run`` comes out."""
    return [periods for periods in range(5, 26) if compare(run.name, rules=low_of(periods)).agrees]


def _periods() -> str:
    allowed = {run.name: allowed_low_periods(run) for run in (V1, V2)}
    rows = ([name, ", ".join(map(str, numbers))] for name, numbers in allowed.items())
    return _table(["Run", "Datapoints with which it comes out, of 5 to 25"], rows)


@cache
def verdict(run: RealRun, rules: Rules) -> str:
    """Whether ``run`` finds that ``rules`` are wrong."""
    if compare(run.name, rules=rules).agrees:
        return "-"
    return "*refit*" if refitted(run, rules).agrees else "**found**"


def _controls() -> str:
    rows = ([wrong.name, *(verdict(run, wrong.rules) for run in REAL_RUNS)] for wrong in WRONG_RULES)
    return _table(["Wrong rule", *(run.name for run in REAL_RUNS)], rows)


def _run(run: RealRun) -> str:
    rows = (
        [
            event.event,
            clock(event.real),
            "never" if event.ours is None else clock(event.ours),
            _error(event.error),
            "fitted" if event.fitted else "predicted",
        ]
        for event in compare(run.name).events
    )
    values = "; ".join(f"{value.name} {value.show(value.used)} ({value.kind})" for value in run.values)
    lines = [f"### {run.name}", "", f"- Given: {run.given}."]
    lines += [f"- Assumed: {_listed(run.assumed)}."] if run.assumed else []
    lines += [f"- Values: {values}."]
    lines += [f"- {remark}" for remark in run.remarks]
    return "\n".join(lines) + "\n\n" + _table(["Event", "AWS", "Virtual", "Difference", "Time"], rows)


if __name__ == "__main__":
    PAGE.write_text(render())
