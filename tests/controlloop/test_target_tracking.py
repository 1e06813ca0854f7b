from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.controlloop.alarm import AlarmState, Comparison
from groundschool.controlloop.decision import Capacity, Decision, Reason
from groundschool.controlloop.target_tracking import Seen, TargetTrackingPolicy, alarms_of, decide, low_factor
from groundschool.controlloop.tracked_metric import PredefinedMetric, TrackedMetric, predefined

CPU = predefined(PredefinedMetric.CPU, "asg")
POLICY = TargetTrackingPolicy("cpu50", 50, CPU)
NO_SCALE_IN = TargetTrackingPolicy("cpu50", 50, CPU, disable_scale_in=True)


def high(metric: float | None, *capacity: int, policy: TargetTrackingPolicy = POLICY) -> Decision:
    return decide(policy, Seen(Capacity(*capacity), metric, AlarmState.ALARM))


def low(metric: float | None, *capacity: int, policy: TargetTrackingPolicy = POLICY) -> Decision:
    return decide(policy, Seen(Capacity(*capacity), metric, AlarmState.OK, AlarmState.ALARM))


@pytest.mark.parametrize(
    ("decision", "desired", "reason"),
    [
        # Capacity is desired, minimum, maximum, warming.
        (high(80, 2, 1, 10), 4, Reason.ABOVE_TARGET),
        (high(100, 1, 1, 10), 2, Reason.ABOVE_TARGET),
        (high(51, 4, 1, 10), 5, Reason.ABOVE_TARGET),
        (high(100, 6, 1, 10), 10, Reason.ABOVE_TARGET),
        (high(100, 10, 1, 10), 10, Reason.AT_MAX),
        (high(None, 2, 1, 10), 2, Reason.NO_DATA),
        (high(40, 2, 1, 10), 2, Reason.WITHIN_TARGET),
        (high(80, 4, 1, 10, 2), 4, Reason.IN_WARMUP),
        (high(100, 3, 1, 10, 1), 4, Reason.ABOVE_TARGET),
        (high(75, 0, 0, 10), 2, Reason.ABOVE_TARGET),
        (low(10, 4, 1, 10), 3, Reason.BELOW_TARGET),
        (low(10, 4, 4, 10), 4, Reason.AT_MIN),
        (low(10, 4, 1, 10, 1), 4, Reason.IN_WARMUP),
        (low(10, 4, 1, 10, 0, 1), 3, Reason.BELOW_TARGET),
        (low(30, 2, 1, 10), 2, Reason.WOULD_EXCEED_TARGET),
        (low(25, 2, 1, 10), 1, Reason.BELOW_TARGET),
        (low(0, 1, 0, 10), 0, Reason.BELOW_TARGET),
        (low(1, 1, 0, 10), 1, Reason.WOULD_EXCEED_TARGET),
        (low(10, 4, 1, 10, policy=NO_SCALE_IN), 4, Reason.SCALE_IN_DISABLED),
        (low(None, 4, 1, 10), 4, Reason.NO_DATA),
    ],
    ids=[
        "twice 80 over 50 is 3.2, so 4",
        "exactly twice the target is exactly twice the instances",
        "a little too much is one more",
        "never over the maximum",
        "at the maximum nothing is left to do",
        "no data, no action",
        "a newer datapoint is within the target again",
        "warming instances already cover the load",
        "warming instances do not cover all of the load",
        "a group of none counts as one",
        "one instance less",
        "never below the minimum",
        "no scale-in during a warm-up",
        "a terminating instance does not hold back the next",
        "the remaining instance would be over the target",
        "the remaining instance is exactly at the target",
        "to none only without any load",
        "not to none while there is load",
        "scale-in disabled",
        "no data, no scale-in",
    ],
)
def test_a_policy_decides(decision, desired, reason):
    assert (decision.desired, decision.reason) == (desired, reason)


@pytest.mark.parametrize(
    ("high_state", "reason"),
    [(AlarmState.OK, Reason.WITHIN_TARGET), (AlarmState.INSUFFICIENT_DATA, Reason.NO_DATA)],
)
def test_without_an_alarm_nothing_happens_for_a_reason(high_state, reason):
    assert decide(POLICY, Seen(Capacity(2, 1, 10), 45, high_state)).reason is reason


def test_instances_that_the_metric_does_not_know_yet_are_not_sized_for_again():
    """Two of four have become warm since the newest datapoint, an average over the other two."""
    assert decide(POLICY, Seen(Capacity(4, 1, 10), 100, AlarmState.ALARM)).desired == 8
    assert decide(POLICY, Seen(Capacity(4, 1, 10), 100, AlarmState.ALARM, averaged_over=2)).desired == 4


def test_scaling_out_comes_before_scaling_in():
    seen = Seen(Capacity(2, 1, 10), 80, AlarmState.ALARM, AlarmState.ALARM)
    assert decide(POLICY, seen).desired == 4


@given(
    metric=st.floats(0, 1000),
    bounds=st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)).map(sorted),
    warming=st.integers(0, 50),
    alarms=st.tuples(st.sampled_from(AlarmState), st.sampled_from(AlarmState)),
)
def test_no_decision_leaves_the_bounds_or_goes_the_wrong_way(metric, bounds, warming, alarms):
    minimum, desired, maximum = bounds
    capacity = Capacity(desired, minimum, maximum, min(warming, desired))
    decision = decide(POLICY, Seen(capacity, metric, *alarms))
    assert minimum <= decision.desired <= maximum
    assert decision.desired >= desired - 1
    if decision.desired > desired:
        assert metric > POLICY.target_value
    if decision.desired < desired:
        assert metric * desired <= POLICY.target_value * decision.desired


@pytest.mark.parametrize(("desired", "factor"), [(0, 0.70), (1, 0.70), (3, 0.70), (4, 0.75), (7, 6 / 7), (40, 0.90)])
def test_the_low_threshold_follows_the_desired_capacity(desired, factor):
    assert low_factor(desired) == pytest.approx(factor)


def test_a_policy_has_two_alarms_named_and_shaped_as_awss():
    alarms = alarms_of(POLICY, "visitor-board", 4, "uuid-1", "uuid-2")
    assert alarms.low is not None
    shown = [
        (a.name, a.threshold, a.comparison, a.period, a.evaluation_periods, a.enough) for a in (alarms.high, alarms.low)
    ]
    assert shown == [
        ("TargetTracking-visitor-board-AlarmHigh-uuid-1", 50, Comparison.GREATER, 60, 3, 3),
        ("TargetTracking-visitor-board-AlarmLow-uuid-2", 37.5, Comparison.LESS, 60, 15, 15),
    ]


def test_without_scale_in_there_is_no_low_alarm():
    assert alarms_of(NO_SCALE_IN, "asg", 4, "h", "l").low is None


def test_requests_per_target_are_a_sum_of_the_load_balancers_target_group():
    label = "app/web/0123456789abcdef/targetgroup/web/fedcba9876543210"
    assert predefined(PredefinedMetric.ALB_REQUEST_COUNT_PER_TARGET, "asg", label) == TrackedMetric(
        "AWS/ApplicationELB",
        "RequestCountPerTarget",
        (("LoadBalancer", "app/web/0123456789abcdef"), ("TargetGroup", "targetgroup/web/fedcba9876543210")),
        statistic="Sum",
    )


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        (PredefinedMetric.ALB_REQUEST_COUNT_PER_TARGET, None),
        (PredefinedMetric.ALB_REQUEST_COUNT_PER_TARGET, "app/web/1"),
        (PredefinedMetric.CPU, "app/web/1/targetgroup/web/2"),
    ],
)
def test_a_resource_label_is_for_requests_per_target_only(metric, label):
    with pytest.raises(ValueError, match="ResourceLabel"):
        predefined(metric, "asg", label)
