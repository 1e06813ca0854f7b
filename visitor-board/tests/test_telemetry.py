"""What /ready may cost: the table is asked rarely, by one thread, and a slow answer holds nobody else up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from visitor_board.store_client import StoreError
from visitor_board.telemetry import Readiness


def test_the_table_is_asked_once_per_period_whatever_its_answer() -> None:
    now, asked = [0.0], list[float]()

    def probe() -> None:
        asked.append(now[0])
        if now[0] >= 5:
            raise StoreError("ThrottlingException", "slow down")

    readiness = Readiness(probe, keep=5, clock=lambda: now[0])
    states = []
    for now[0] in (0, 1, 4.9, 5, 6, 9.9):
        states.append(readiness.state())
    assert states == ["ok"] * 3 + ["ThrottlingException"] * 3
    assert asked == [0, 5]


@pytest.mark.timeout(10)
def test_while_one_thread_asks_the_others_get_the_last_state_at_once() -> None:
    inside, answered = threading.Event(), threading.Event()

    def probe() -> None:
        inside.set()
        answered.wait()

    readiness = Readiness(probe)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(readiness.state)
        inside.wait()
        assert readiness.state() == "unknown"
        answered.set()
        assert first.result() == "ok"
