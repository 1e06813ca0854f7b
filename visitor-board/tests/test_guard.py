from __future__ import annotations

import pytest

from visitor_board.guard import RateLimit, Refused, client_address


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        pytest.param({}, "10.0.0.9", id="no balancer"),
        pytest.param({"X-Forwarded-For": "198.51.100.7"}, "198.51.100.7", id="behind one"),
        pytest.param(
            {"X-Forwarded-For": "1.1.1.1, 198.51.100.7"}, "198.51.100.7", id="what the client claims is not believed"
        ),
    ],
)
def test_the_client_is_who_the_balancer_saw(headers: dict[str, str], address: str) -> None:
    assert client_address(headers, "10.0.0.9") == address


def test_tokens_come_back_with_time() -> None:
    now = [0.0]
    limit = RateLimit(60, clock=lambda: now[0])
    for _ in range(60):
        limit.take("a")
    with pytest.raises(Refused):
        limit.take("a")
    now[0] = 1.0
    limit.take("a")
    with pytest.raises(Refused):
        limit.take("a")


def test_memory_is_bounded_by_forgetting_the_least_recent_client() -> None:
    limit = RateLimit(1, clients=2, clock=lambda: 0.0)
    for client in ("a", "b", "c"):
        limit.take(client)
    limit.take("a")  # forgotten, so it starts anew
    with pytest.raises(Refused):
        limit.take("c")


def test_no_limit_keeps_no_state() -> None:
    limit = RateLimit(0)
    for _ in range(1000):
        limit.take("a")
    assert not limit._buckets
