"""AWS: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data": its tables are the spec."""

from __future__ import annotations

import pytest

from groundschool.controlloop.alarm import (
    Alarm,
    AlarmReason,
    AlarmState,
    Comparison,
    Datapoint,
    MissingData,
    evaluate,
)

OK, ALARM, INSUFFICIENT_DATA = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
KEPT = None
TREATMENTS = (MissingData.MISSING, MissingData.IGNORE, MissingData.BREACHING, MissingData.NOT_BREACHING)


def alarm(period: float = 300, n: int = 3, m: int | None = None, missing: MissingData = MissingData.MISSING) -> Alarm:
    return Alarm("a", 50, Comparison.GREATER, period, n, m, missing)


def points(picture: str, period: float = 300) -> tuple[list[Datapoint], float]:
    """``0 - X`` is a good, a missing and a breaching datapoint, the last being the newest complete period."""
    marks = picture.split()
    values = {"0": 10.0, "X": 90.0}
    return [Datapoint(n * period, values[mark]) for n, mark in enumerate(marks) if mark != "-"], len(marks) * period


AWS_TABLES = [
    # picture, M, missing, ignore, breaching, notBreaching
    ("0 - X - X", 3, OK, OK, OK, OK),
    ("- - - - 0", 3, OK, OK, OK, OK),
    ("- - - - -", 3, INSUFFICIENT_DATA, KEPT, ALARM, OK),
    ("0 X X - X", 3, ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", 3, ALARM, KEPT, ALARM, OK),
    ("0 - X - X", 2, ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", 2, ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", 2, OK, OK, ALARM, OK),
    ("- - - - 0", 2, OK, OK, ALARM, OK),
    ("- - - X -", 2, ALARM, KEPT, ALARM, OK),
]


@pytest.mark.parametrize("state", [OK, ALARM])
@pytest.mark.parametrize("treatment", range(4), ids=[t.value for t in TREATMENTS])
@pytest.mark.parametrize("row", AWS_TABLES, ids=[f"{row[0]} M={row[1]}" for row in AWS_TABLES])
def test_missing_data_are_treated_as_in_awss_tables(row, treatment, state):
    picture, m, *expected = row
    seen, now = points(picture)
    decision = evaluate(alarm(m=m, missing=TREATMENTS[treatment]), seen, state, now)
    assert decision.state == (state if expected[treatment] is KEPT else expected[treatment])


@pytest.mark.parametrize("picture", ["- - - - X", "- - - X -"])
def test_a_single_young_breach_does_not_go_into_alarm(picture):
    seen, now = points(picture)
    decision = evaluate(alarm(), seen, OK, now)
    assert (decision.state, decision.reason) == (OK, AlarmReason.STILL_TOO_YOUNG)


def test_a_single_young_breach_is_no_reason_to_leave_alarm():
    seen, now = points("- - - - X")
    assert evaluate(alarm(), seen, ALARM, now).state is ALARM


@pytest.mark.parametrize("n", [3, 15], ids=["AlarmHigh", "AlarmLow"])
def test_an_alarm_over_basic_monitoring_does_not_flap(n):
    seen = [Datapoint(minute * 60, 90.0) for minute in range(4, 120, 5)]
    states = [evaluate(alarm(period=60, n=n), seen, OK, minute * 60).state for minute in range(30, 120)]
    assert set(states) == {ALARM}


def test_only_complete_periods_count():
    seen = [Datapoint(0, 90), Datapoint(60, 90), Datapoint(120, 90)]
    one_by_one = alarm(period=60)
    assert evaluate(one_by_one, seen, OK, now=179.9).state is OK
    assert evaluate(one_by_one, seen, OK, now=180).state is ALARM


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        (Comparison.GREATER, [51]),
        (Comparison.GREATER_OR_EQUAL, [50, 51]),
        (Comparison.LESS, [49]),
        (Comparison.LESS_OR_EQUAL, [49, 50]),
    ],
)
def test_the_threshold_itself_breaches_only_the_comparisons_that_include_it(comparison, breaching):
    one = Alarm("a", 50, comparison)
    states = {value: evaluate(one, [Datapoint(0, value)], OK, 60).state for value in (49, 50, 51)}
    assert [value for value, state in states.items() if state is ALARM] == breaching


def test_the_newest_value_is_what_a_policy_sizes_with():
    seen = [Datapoint(0, 60), Datapoint(60, 70), Datapoint(120, 80)]
    assert evaluate(alarm(period=60), seen, OK, 180).metric == 80


def test_the_newest_value_is_none_without_data():
    assert evaluate(alarm(), [], OK, 900).metric is None


@pytest.mark.parametrize(
    ("picture", "missing", "text"),
    [
        (
            "X X X",
            MissingData.MISSING,
            "Threshold Crossed: 3 out of the last 3 datapoints [90.0 (600 s), 90.0 (300 s), 90.0 (0 s)] were greater "
            "than the threshold (50.0) (minimum 3 datapoints for OK -> ALARM transition).",
        ),
        (
            "X X 0",
            MissingData.MISSING,
            "Threshold Crossed: 1 out of the last 3 datapoints [10.0 (600 s)] was not greater than the threshold "
            "(50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        ("- - -", MissingData.MISSING, "Insufficient Data: 3 datapoints were unknown."),
        (
            "- - -",
            MissingData.BREACHING,
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[Breaching].",
        ),
    ],
)
def test_the_reason_is_in_cloudwatchs_words(picture, missing, text):
    seen, now = points(picture)
    assert evaluate(alarm(missing=missing), seen, OK, now).text == text
