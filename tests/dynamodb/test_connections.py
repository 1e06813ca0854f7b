"""Clients that take too long, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from groundschool.dynamodb.protocol.http import IDLE_SECONDS, REQUEST_SECONDS, Connection


class Transport:
    """Remembers what was written and whether it was closed."""

    def __init__(self, unsent: int = 0) -> None:
        self.written = b""
        self.closed = False
        self.unsent = unsent

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.closed = True

    abort = close


class Nobody:
    """A server that never answers."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.requests: list[Any] = []

    def take(self, _connection: Connection, request: Any) -> None:
        self.requests.append(request)

    def may_buffer(self, _size: int) -> bool:
        return True


@pytest.fixture
def now() -> list[float]:
    return [0.0]


def connect(now: list[float], unsent: int = 0) -> tuple[Connection, Transport]:
    connection, transport = Connection(Nobody(), lambda: now[0]), Transport(unsent)
    connection.connection_made(transport)  # type: ignore[arg-type]
    return connection, transport


def test_a_request_that_drips_in_is_refused_after_30_seconds(now: list[float]) -> None:
    connection, transport = connect(now)
    for byte in b"POST / HTTP/1.1\r\nHost: l":
        connection.data_received(bytes([byte]))
        now[0] += 1.0
        connection.expire(now[0])
    assert not transport.closed
    now[0] = REQUEST_SECONDS + 0.1
    connection.data_received(b"o")
    connection.expire(now[0])
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_late(now: list[float]) -> None:
    connection, transport = connect(now)
    connection.expire(IDLE_SECONDS)
    assert not transport.closed
    connection.expire(IDLE_SECONDS + 1)
    assert transport.closed


def test_a_client_that_does_not_take_its_answer_is_cut_off(now: list[float]) -> None:
    connection, transport = connect(now, unsent=1_000_000)
    connection.expire(REQUEST_SECONDS + 0.1)
    assert transport.closed


def test_a_client_that_waits_for_its_answer_is_not_hurried(now: list[float]) -> None:
    connection, transport = connect(now)
    connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    connection.expire(IDLE_SECONDS * 2)
    assert not transport.closed
