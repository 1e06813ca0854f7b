"""Step, simple and scheduled scaling, and several policies at once."""

from __future__ import annotations

import pytest

from groundschool.controlloop import scheduled, simple_scaling, step_scaling
from groundschool.controlloop.adjustment import AdjustmentType, adjusted
from groundschool.controlloop.decision import Capacity, Decision, Reason
from groundschool.controlloop.scheduled import ScheduledAction
from groundschool.controlloop.several_policies import Vote, combine
from groundschool.controlloop.simple_scaling import LastActivity, SimpleScalingPolicy
from groundschool.controlloop.step_scaling import Step, StepScalingPolicy, problem_with

CHANGE, EXACT, PERCENT = AdjustmentType.CHANGE, AdjustmentType.EXACT, AdjustmentType.PERCENT


@pytest.mark.parametrize(
    ("current", "percent", "magnitude", "after"),
    [
        (10, 25, None, 12),
        (10, 5, None, 11),
        (10, -5, None, 9),
        (10, -67, None, 4),
        (10, 100, None, 20),
        (29, 100, None, 58),
        (10, 10, 3, 13),
        (10, -10, 3, 7),
        (10, 0, 3, 10),
        (0, 50, None, 0),
    ],
    ids=[
        "above 1 rounds down",
        "between 0 and 1 is 1",
        "between -1 and 0 is -1",
        "below -1 goes towards zero",
        "doubles",
        "is exact",
        "at least the magnitude up",
        "at least the magnitude down",
        "nothing is nothing",
        "of nothing is nothing",
    ],
)
def test_a_percentage_becomes_whole_instances(current, percent, magnitude, after):
    assert adjusted(current, PERCENT, percent, magnitude) == after


# AWS's own example: threshold 60 out, 40 in; here as differences to the threshold.
OUT = StepScalingPolicy("out", PERCENT, (Step(0, 0, 10), Step(10, 10, 20), Step(30, 20, None)))
IN = StepScalingPolicy("in", PERCENT, (Step(0, -10, 0), Step(-10, -20, -10), Step(-30, None, -20)))


@pytest.mark.parametrize(
    ("policy", "metric", "threshold", "desired", "reason"),
    [
        (OUT, 60, 50, 11, Reason.STEP_ADJUSTMENT),
        (OUT, 69.9, 50, 11, Reason.STEP_ADJUSTMENT),
        (OUT, 70, 50, 13, Reason.STEP_ADJUSTMENT),
        (OUT, 49, 50, 10, Reason.NO_MATCHING_STEP),
        (OUT, None, 50, 10, Reason.NO_DATA),
        (IN, 40, 50, 9, Reason.STEP_ADJUSTMENT),
        (IN, 30.1, 50, 9, Reason.STEP_ADJUSTMENT),
        (IN, 30, 50, 7, Reason.STEP_ADJUSTMENT),
    ],
    ids=[
        "the lower bound is inclusive above",
        "inside",
        "the upper bound is exclusive above",
        "outside",
        "no data",
        "the upper bound is inclusive below",
        "inside below",
        "the lower bound is exclusive below",
    ],
)
def test_a_step_is_found_by_the_distance_to_the_threshold(policy, metric, threshold, desired, reason):
    decision = step_scaling.decide(policy, Capacity(10, 1, 20), metric, threshold)
    assert (decision.desired, decision.reason) == (desired, reason)


def test_a_second_breach_of_the_same_step_adds_nothing_while_instances_warm_up():
    decision = step_scaling.decide(OUT, Capacity(11, 1, 20, warming=1), 62, 50)
    assert (decision.desired, decision.reason) == (11, Reason.IN_WARMUP)


def test_a_larger_step_adds_only_what_is_not_already_warming_up():
    assert step_scaling.decide(OUT, Capacity(11, 1, 20, warming=1), 75, 50).desired == 13


def test_a_second_breach_below_removes_nothing_while_instances_terminate():
    decision = step_scaling.decide(IN, Capacity(9, 1, 20, terminating=1), 35, 50)
    assert (decision.desired, decision.reason) == (9, Reason.ALREADY_REQUESTED)


def test_a_step_scale_in_waits_for_the_warm_up():
    assert step_scaling.decide(IN, Capacity(10, 1, 20, warming=1), 10, 50).reason is Reason.IN_WARMUP


@pytest.mark.parametrize(
    ("steps", "kind", "problem"),
    [
        (OUT.steps, PERCENT, None),
        (IN.steps, PERCENT, None),
        ((), CHANGE, "At least one step"),
        ((Step(1, 0, 10), Step(2, 5, None)), CHANGE, "overlap"),
        ((Step(1, 0, 10), Step(2, 20, None)), CHANGE, "gap"),
        ((Step(1, 0, 10),), CHANGE, "unspecified upper"),
        ((Step(-1, -10, 0),), CHANGE, "unspecified lower"),
        ((Step(1, 10, 0),), CHANGE, "less than its upper"),
        ((Step(-1, 0, None),), EXACT, "negative"),
    ],
)
def test_steps_without_gaps_and_overlaps_are_taken(steps, kind, problem):
    found = problem_with(steps, kind)
    assert found is None if problem is None else problem in (found or "")


@pytest.mark.parametrize(
    ("last", "now", "desired", "reason", "look_again_in"),
    [
        (None, 0, 3, Reason.SIMPLE_ADJUSTMENT, 60),
        (LastActivity(None), 900, 2, Reason.ACTIVITY_IN_PROGRESS, 60),
        (LastActivity(100), 200, 2, Reason.IN_COOLDOWN, 200),
        (LastActivity(100), 400, 3, Reason.SIMPLE_ADJUSTMENT, 60),
    ],
    ids=["first", "activity in progress", "cooldown", "after the cooldown"],
)
def test_simple_scaling_waits_for_the_activity_and_the_cooldown(last, now, desired, reason, look_again_in):
    policy = SimpleScalingPolicy("one more", CHANGE, 1)
    decision = simple_scaling.decide(policy, Capacity(2, 1, 5), last, now)
    assert decision == Decision(desired, reason, look_again_in)


@pytest.mark.parametrize(
    ("adjustment", "capacity", "reason"),
    [(1, Capacity(5, 1, 5), Reason.AT_MAX), (-1, Capacity(1, 1, 5), Reason.AT_MIN)],
)
def test_simple_scaling_stays_within_the_bounds(adjustment, capacity, reason):
    policy = SimpleScalingPolicy("p", CHANGE, adjustment)
    assert simple_scaling.decide(policy, capacity, None, 0).reason is reason


def test_executing_a_policy_by_hand_need_not_honor_the_cooldown():
    policy = SimpleScalingPolicy("p", CHANGE, 1)
    decision = simple_scaling.decide(policy, Capacity(2, 1, 5), LastActivity(0), 1, honor_cooldown=False)
    assert decision.desired == 3


def vote(name: str, desired: int, reason: Reason = Reason.WITHIN_TARGET, say: bool = True) -> Vote:
    return Vote(name, Decision(desired, reason), say)


@pytest.mark.parametrize(
    ("votes", "desired", "policy", "reason"),
    [
        ([vote("a", 6, Reason.ABOVE_TARGET), vote("b", 8, Reason.ABOVE_TARGET)], 8, "b", Reason.ABOVE_TARGET),
        ([vote("a", 6, Reason.ABOVE_TARGET), vote("b", 3, Reason.BELOW_TARGET)], 6, "a", Reason.ABOVE_TARGET),
        ([vote("a", 3, Reason.BELOW_TARGET), vote("b", 2, Reason.STEP_ADJUSTMENT)], 3, "a", Reason.BELOW_TARGET),
        ([vote("a", 3, Reason.BELOW_TARGET), vote("b", 4)], 4, None, Reason.POLICIES_DISAGREE),
        ([vote("a", 3, Reason.BELOW_TARGET), vote("b", 4, Reason.NO_DATA)], 4, None, Reason.POLICIES_DISAGREE),
        ([vote("a", 3, Reason.BELOW_TARGET), vote("b", 4, say=False)], 3, "a", Reason.BELOW_TARGET),
        ([vote("a", 4, Reason.IN_WARMUP), vote("b", 4)], 4, None, Reason.IN_WARMUP),
        ([], 4, None, Reason.NO_POLICY),
    ],
    ids=[
        "the largest wins",
        "out wins over in",
        "the mildest scale-in wins",
        "one does not agree",
        "one has no data",
        "one has no say",
        "nobody asks",
        "no policies",
    ],
)
def test_several_policies_scale_out_if_any_asks_and_in_only_if_all_agree(votes, desired, policy, reason):
    outcome = combine(votes, Capacity(4, 1, 10))
    assert (outcome.decision.desired, outcome.policy_name, outcome.decision.reason) == (desired, policy, reason)


@pytest.mark.parametrize(
    ("action", "sizes"),
    [
        (ScheduledAction("morning", desired=4), (1, 5, 4)),
        (ScheduledAction("morning", minimum=3), (3, 5, 3)),
        (ScheduledAction("evening", maximum=1), (1, 1, 1)),
        (ScheduledAction("peak", minimum=6, maximum=9, desired=12), (6, 9, 9)),
    ],
)
def test_a_scheduled_action_moves_the_desired_capacity_into_the_new_bounds(action, sizes):
    decided = scheduled.decide(action, Capacity(2, 1, 5))
    assert (decided.minimum, decided.maximum, decided.decision.desired) == sizes


def test_a_scheduled_action_cannot_put_the_minimum_above_the_maximum():
    with pytest.raises(ValueError, match="exceeds the maximum"):
        scheduled.decide(ScheduledAction("wrong", minimum=9), Capacity(2, 1, 5))
