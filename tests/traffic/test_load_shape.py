"""The load over time, as a value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.traffic.arrivals import ArrivalSchedule
from groundschool.traffic.load_shape import LoadShape

RAMP = LoadShape(((0, 0), (10, 20), (20, 20)))


@pytest.mark.parametrize(
    ("shape", "at", "level"),
    [
        pytest.param(LoadShape.constant(5, 10), 0, 5, id="constant from the start"),
        pytest.param(LoadShape.constant(5, 10), 9.99, 5, id="constant until the end"),
        pytest.param(LoadShape.constant(5, 10), 10, None, id="over at the end"),
        pytest.param(LoadShape.constant(5), 1e9, 5, id="goes on without an end"),
        pytest.param(LoadShape.steps((1, 10), (7, 5)), 9.9, 1, id="first step"),
        pytest.param(LoadShape.steps((1, 10), (7, 5)), 10, 7, id="a step belongs to the later level"),
        pytest.param(LoadShape.steps((1, 10), (7, 5)), 15, None, id="over after the steps"),
        pytest.param(RAMP, 5, 10, id="half way up a ramp"),
        pytest.param(LoadShape(((0, 4), (2, 10)), ends=False), 3, 10, id="a ramp that holds"),
    ],
)
def test_the_level_at_a_time(shape: LoadShape, at: float, level: float | None) -> None:
    assert shape.level(at) == level


@pytest.mark.parametrize(
    ("points", "why"),
    [
        pytest.param((), "starts with", id="no point"),
        pytest.param(((1, 5),), "starts with", id="does not start at 0"),
        pytest.param(((0, 5), (9, 5), (3, 5)), "order of time", id="back in time"),
        pytest.param(((0, -1),), "not below 0", id="negative level"),
        pytest.param(((0, math.inf),), "finite", id="infinite level"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(points: tuple[tuple[float, float], ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LoadShape(points)


def test_a_ramp_is_due_to_send_the_area_below_it() -> None:
    assert RAMP.expected(10) == pytest.approx(100)
    assert RAMP.expected(20) == pytest.approx(300)
    assert RAMP.expected(99) == pytest.approx(300)


def test_at_a_constant_rate_arrivals_are_evenly_spaced() -> None:
    shape = LoadShape.constant(4, 2)
    assert [shape.arrival(n) for n in range(1, 10)] == pytest.approx([0.25 * n for n in range(1, 9)] + [None])


def test_a_rate_of_zero_has_no_arrivals() -> None:
    assert LoadShape.constant(0).arrival(1) is None


levels = st.just(0.0) | st.floats(1e-6, 1000)
shapes = st.builds(
    lambda spans, ends: LoadShape(
        tuple((sum(length for length, _ in spans[:n]), level) for n, (_, level) in enumerate(spans)), ends
    ),
    st.lists(st.tuples(st.floats(0.1, 60), levels), min_size=1, max_size=5),
    st.booleans(),
)


@given(shapes, st.integers(1, 500))
def test_an_arrival_is_when_so_many_requests_are_expected(shape: LoadShape, count: int) -> None:
    at = shape.arrival(count)
    if at is None:
        assert shape.expected(1e9) < count + 1e-6
    else:
        assert shape.expected(at) == pytest.approx(count, rel=1e-6)


def test_a_new_shape_forgets_no_part_of_a_request_that_was_already_due() -> None:
    schedule = ArrivalSchedule(LoadShape.constant(1), started=100)
    schedule.take()
    later = schedule.reshape(LoadShape.constant(10), now=101.5)
    assert later.next() == pytest.approx(101.55)  # half a request was due; the other half takes 0.05 s at 10/s


def test_a_new_shape_does_not_owe_what_a_stalled_process_missed() -> None:
    schedule = ArrivalSchedule(LoadShape.constant(100), started=0)
    later = schedule.reshape(LoadShape.constant(1), now=60)
    assert later.next() == pytest.approx(60, abs=0.01)
    later.take()
    assert later.next() == pytest.approx(61, abs=0.01)
