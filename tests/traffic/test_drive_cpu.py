"""The rate that brings a group's CPU to a goal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.traffic.drive_cpu import CpuGoal, Measured, Reason, next_rate, quiet_rate


@pytest.mark.parametrize(
    ("measured", "rate", "reason"),
    [
        pytest.param(Measured(10, None), 10, Reason.NO_DATA, id="waits for a measurement"),
        pytest.param(Measured(10, 40), 20, Reason.BELOW_GOAL, id="half the goal: twice the rate"),
        pytest.param(Measured(10, 2), 25, Reason.BELOW_GOAL, id="never more than the biggest step"),
        pytest.param(Measured(10, 0), 25, Reason.BELOW_GOAL, id="no CPU at all is a small rate, not a division"),
        pytest.param(Measured(40, 84), 40, Reason.AT_GOAL, id="near enough"),
        pytest.param(Measured(40, 96), 40 * 80 / 96, Reason.ABOVE_GOAL, id="a little less"),
        pytest.param(Measured(40, 99), 30, Reason.SATURATED, id="saturated CPU hides the demand"),
        pytest.param(Measured(40, 80, unfinished=61), 30, Reason.BACKLOG, id="a backlog goes before the CPU"),
        pytest.param(Measured(2, 60, unfinished=10), 2 * 80 / 60, Reason.BELOW_GOAL, id="a few are no backlog"),
    ],
)
def test_the_next_rate_has_a_reason(measured: Measured, rate: float, reason: Reason) -> None:
    decision = next_rate(measured)
    assert decision.rate == pytest.approx(rate)
    assert decision.reason is reason


@given(cost=st.floats(0.2, 12), idle=st.floats(0, 8))
def test_on_any_machine_the_goal_is_reached_within_eight_measurements_without_saturation(
    cost: float, idle: float
) -> None:
    """``cost``: per cent of the group's CPU per request per second; ``idle``: what it uses without requests."""
    goal, rate = CpuGoal(), 4.0
    for _ in range(8):
        cpu = idle + rate * cost
        assert cpu < 100
        rate = next_rate(Measured(rate, cpu), goal).rate
    assert abs(idle + rate * cost - goal.per_cent) <= goal.tolerance


def test_the_quiet_rate_costs_one_instance_what_was_asked_for() -> None:
    # 4 instances at 45 % for 36 requests/s: 5 % of one instance per request/s.
    assert quiet_rate(Measured(36, 45), instances=4, per_cent=10) == pytest.approx(2)
