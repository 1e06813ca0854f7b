"""The control loop in virtual time against logs of real groups; see docs/control-loop-validation.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from .real_runs import REAL_RUNS, at, burn, compared, render, replay
from .virtual_group import Setup, VirtualGroup

PAGE = Path(__file__).parents[2] / "docs" / "control-loop-validation.md"
runs = pytest.mark.parametrize("run", REAL_RUNS, ids=[run.name for run in REAL_RUNS])


@runs
def test_the_sequence_of_capacities_is_exactly_the_real_one(run):
    changes = [(change.before, change.after) for change in replay(run.name).changes]
    assert changes == [(change.before, change.after) for change in run.changes]


@runs
def test_every_decision_comes_within_the_tolerance_of_the_log(run):
    late = {
        event: ours if ours is None else ours - real
        for event, real, ours, tolerance in compared(run)
        if ours is None or abs(ours - real) > tolerance
    }
    assert late == {}


def test_the_page_shows_what_these_tests_compare():
    assert PAGE.read_text() == render(), "run: python -m tests.controlloop.real_runs > docs/control-loop-validation.md"


def test_an_alarm_that_stays_in_alarm_during_a_warm_up_does_not_add_instances_every_minute():
    """One of two instances burns on, whatever is added: the metric of the two old ones does not move."""
    setup = Setup(target=40, minimum=2, maximum=10, desired=2, load=burn("00:05", "00:14"), warm_up=600)
    group = VirtualGroup(setup).run(at("00:00"), at("00:14"))
    assert [(change.before, change.after) for change in group.changes] == [(2, 3)]
