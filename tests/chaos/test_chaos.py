"""The pure parts of the chaos run; the run itself is `make chaos`."""

from __future__ import annotations

import pytest

from tests.chaos.explanation import NO_HEALTHY_TARGET, HealthSample, Request, Wound, explain
from tests.chaos.schedule import LARGEST, SMALLEST, Blow, schedule


def request(status: int, at: float, instance_id: str | None = "i-1", seconds: float = 0.0) -> Request:
    return Request(at - seconds, at, instance_id, status, from_target=False)


def test_a_seed_gives_the_same_run_again_and_another_seed_another() -> None:
    assert list(schedule(7, 600)) == list(schedule(7, 600))
    assert list(schedule(7, 600)) != list(schedule(8, 600))


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_contain_every_kind_of_blow_and_no_group_without_a_spare(seed: int) -> None:
    events = list(schedule(seed, 600))
    assert {event.blow for event in events} == set(Blow)
    assert all(0 < event.at < 600 for event in events)
    assert all(SMALLEST <= event.capacity <= LARGEST for event in events)


@pytest.mark.parametrize(
    ("record", "wounds", "healthy", "said"),
    [
        pytest.param(request(502, 10), [Wound("i-1", "kill", 9)], 2, "502 on an instance after: kill", id="killed"),
        pytest.param(request(502, 8), [Wound("i-1", "kill", 9)], 2, "UNEXPLAINED", id="before it was killed"),
        pytest.param(request(504, 10), [Wound("i-2", "hang", 9)], 2, "UNEXPLAINED", id="another instance hung"),
        pytest.param(request(504, 20), [Wound("i-1", "hang", 9, 12)], 2, "UNEXPLAINED", id="long after it was mended"),
        pytest.param(
            request(460, 40, seconds=30), [Wound("i-1", "hang", 9, 12)], 2, "460 on an", id="sent before it was mended"
        ),
        pytest.param(request(503, 10, None), [], 2, NO_HEALTHY_TARGET, id="no target at all"),
        pytest.param(request(502, 10), [], 0, NO_HEALTHY_TARGET, id="fail-open"),
        pytest.param(request(200, 10), [], 0, None, id="not failed"),
    ],
)
def test_a_failure_is_explained_only_by_what_was_done_to_its_instance(
    record: Request, wounds: list[Wound], healthy: int, said: str | None
) -> None:
    found = explain([record], wounds, [HealthSample(10, healthy)])
    assert [key.startswith(said or "") for key in found] == ([True] if said else [])
