"""An open-loop load: requests arrive on their own schedule, whether or not the earlier ones were answered.

Arrivals are a Poisson process, as those of independent visitors are (a fixed interval would flatter the server). A
request's time runs from when it was due, not from when a connection was free for it: waiting counts (no coordinated
omission). One thread, no event loop, sockets and bytes only: the load must not be what is measured.
"""

from __future__ import annotations

import gc
import random
import re
import select
import socket
import time
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LATEST = 20.0
"""Seconds after the last request was due in which its answer must have come."""


@dataclass(frozen=True)
class Latencies:
    """Of one run, in milliseconds. ``sent_late`` is the load generator's own fault, and part of the others."""

    answered: list[float]
    sent_late: list[float]

    def percentile(self, percent: float) -> float:
        """From when a request was due to its answer."""
        return _percentile(self.answered, percent)

    def late(self, percent: float) -> float:
        """From when a request was due, or a connection was free for it, to its sending."""
        return _percentile(self.sent_late, percent)


@dataclass
class _Connection:
    sock: socket.socket
    due: float = 0.0
    data: bytes = b""


@dataclass
class _Load:
    head: bytes
    idle: list[_Connection]
    busy: dict[int, _Connection] = field(default_factory=dict)
    freed: float = 0.0
    seen: Latencies = field(default_factory=lambda: Latencies([], []))

    def send(self, due: float) -> None:
        connection = self.idle.pop()
        connection.due, connection.data = due, b""
        self.busy[connection.sock.fileno()] = connection
        self.seen.sent_late.append((time.perf_counter() - max(due, self.freed)) * 1000)
        connection.sock.sendall(self.head)

    def receive(self, wait: float) -> None:
        for number in select.select(list(self.busy), (), (), wait)[0]:
            connection = self.busy[number]
            connection.data += connection.sock.recv(1 << 18)
            if _complete(connection.data):
                now = time.perf_counter()
                self.seen.answered.append((now - connection.due) * 1000)
                if not self.idle:
                    self.freed = now
                self.idle.append(self.busy.pop(number))


def _complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        assert answer, "the server closed a connection"
        return False
    length = _LENGTH.search(head)
    assert length, head
    assert head.startswith(b"HTTP/1.1 200 "), head
    return len(body) >= int(length[1])


def _percentile(values: list[float], percent: float) -> float:
    return sorted(values)[int(len(values) * percent / 100)]


def latencies(port: int, path: str, rate: float, seconds: float, *, connections: int = 32, seed: int = 1) -> Latencies:
    """Sends ``rate`` requests per second on average. Fails when one is refused or is not answered at all."""
    load = _Load(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: visited=1\r\n\r\n".encode(),
        [_Connection(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(connections)],
    )
    sockets = [connection.sock for connection in load.idle]
    rng, due = random.Random(seed), time.perf_counter() + 0.05
    ends = due + seconds
    gc.disable()
    try:
        while due < ends or load.busy:
            now = time.perf_counter()
            assert now < ends + _LATEST, f"{len(load.busy)} requests were not answered"
            if due < ends and due <= now and load.idle:
                load.send(due)
                due += rng.expovariate(rate)
            else:
                load.receive(max(0.0, due - now) if due < ends and load.idle else 1.0)
    finally:
        gc.enable()
        for one in sockets:
            one.close()
    return load.seen
