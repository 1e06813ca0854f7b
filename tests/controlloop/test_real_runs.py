"""The control loop in virtual time against logs of real groups; see docs/control-loop-validation.md."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .comparison import compare, used
from .real_runs import PHASES, REAL_RUNS, V1, V2
from .recorded_run import at, burn
from .validation_page import PAGE, allowed_low_periods, render, verdict
from .virtual_group import Setup, VirtualGroup
from .wrong_rules import WRONG_RULES

runs = pytest.mark.parametrize("run", REAL_RUNS, ids=[run.name for run in REAL_RUNS])


@runs
def test_the_sequence_of_capacities_is_exactly_the_real_one(run):
    assert compare(run.name).capacities == tuple((change.before, change.after) for change in run.changes)


@runs
def test_every_decision_comes_within_the_tolerance_of_the_log(run):
    assert {e.event: e.error for e in compare(run.name).events if abs(e.error) > run.tolerance} == {}


@runs
def test_every_fitted_value_is_charged_with_the_observations_it_was_chosen_by(run):
    charged = [name for value in run.values for name in value.uses]
    assert len(charged) == len(set(charged))
    assert set(charged) <= set(run.observations)
    assert all(bool(value.uses) is (value.kind == "fitted") for value in run.values)


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=[wrong.name for wrong in WRONG_RULES])
def test_a_wrong_rule_is_found_by_a_run_however_its_values_are_chosen(wrong):
    found = [run.name for run in REAL_RUNS if "found" in verdict(run, wrong.rules)]
    assert bool(found) is wrong.seen, found


def test_the_datapoints_of_alarm_low_follow_from_one_run_and_predict_the_other():
    first, second = allowed_low_periods(V1), allowed_low_periods(V2)
    assert 15 in first
    assert set(first) <= set(second)


def test_the_page_shows_what_these_tests_compare():
    assert PAGE.read_text() == render(), "run: python -m tests.controlloop.validation_page"


def test_an_alarm_that_stays_in_alarm_during_a_warm_up_does_not_add_instances_every_minute():
    """One of two instances burns on, whatever is added: the metric of the two old ones does not move."""
    burning = burn((at("00:05"), at("00:14")))
    setup = Setup(target=40, minimum=2, maximum=10, desired=2, load=burning, warm_up=600)
    group = VirtualGroup(setup).run(at("00:00"), at("00:14"))
    assert [(change.before, change.after) for change in group.changes] == [(2, 3)]


@pytest.mark.parametrize("phase", PHASES)
def test_v1_does_not_depend_on_its_maximum_though_monitoring_is_basic_and_the_warm_up_short(phase):
    """The instances added are warm before the metric knows of them; they must not be sized for a second time."""
    setup = replace(V1.setup(phase, *used(V1)[1:]), maximum=10)
    group = VirtualGroup(setup).run(at(V1.begin), at("11:45"))
    assert group.desired == 4
