"""The loop under waitress: it looks at what happened, and loses nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
from waitress.server import create_server

from visitor_board import event_loop
from visitor_board.event_loop import EventLoop

GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
SEND_BYTES = 1024
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class CountingLoop(EventLoop):
    """Counts its turns, and ends when told."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.turn(0.05)
            self.turns += 1


@contextmanager
def serving(app: App, **adjustments: Any) -> Iterator[tuple[CountingLoop, int]]:
    loop = CountingLoop()
    listener = socket.create_server(("127.0.0.1", 0))
    server = create_server(app, map=loop, sockets=[listener], threads=2, **adjustments)
    server.adj.send_bytes = SEND_BYTES
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield loop, server.effective_port
    finally:
        loop.ended.set()
        thread.join()
        server.task_dispatcher.shutdown(timeout=1)
        for one in list(loop.values()):
            one.close()
        loop.close()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        yield client


def path(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def counted(asked: Counter[int], client_port: int, readable: Callable[[], bool]) -> bool:
    asked[client_port] += 1
    return readable()


def wait_for(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ask(client: socket.socket, what: bytes) -> None:
    client.sendall(GET % what)
    read_until(client, what)


def read_until(client: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        part = client.recv(1 << 16)
        assert part, f"closed after {data[-80:]!r}"
        data += part
    return data


def test_a_turn_asks_only_the_connections_in_which_something_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "SWEEP", 3600.0)
    asked: Counter[int] = Counter()
    with serving(path) as (loop, port), ExitStack() as clients:
        resting = [clients.enter_context(connected(port)) for _ in range(20)]
        busy = clients.enter_context(connected(port))
        for one in (*resting, busy):
            ask(one, b"/ready")
        settled = loop.turns + 3
        wait_for(lambda: loop.turns > settled)
        channels = {one.addr[1]: one for one in loop.values() if hasattr(one, "requests")}
        for client_port, channel in channels.items():
            channel.readable = partial(counted, asked, client_port, channel.readable)
        for _ in range(10):
            ask(busy, b"/one")
        assert set(asked) == {busy.getsockname()[1]}
        assert len(channels) == 21


def test_pipelined_requests_are_answered_in_order() -> None:
    with serving(path) as (_, port), connected(port) as client:
        client.sendall(b"".join(GET % f"/{n}".encode() for n in range(20)))
        data = read_until(client, b"/19")
    assert [int(part.split(b"HTTP")[0]) for part in data.split(b"\r\n\r\n/")[1:]] == list(range(20))


def test_a_request_that_comes_before_the_answer_waits_and_is_answered() -> None:
    release = threading.Event()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            release.wait(5)
        return path(environ, start)

    with serving(app) as (loop, port), connected(port) as client:
        client.sendall(GET % b"/slow")
        time.sleep(0.1)
        client.sendall(GET % b"/next")
        turns = loop.turns
        time.sleep(0.3)
        assert loop.turns - turns < 20, "the loop spins on a request it may not read yet"
        release.set()
        assert b"/slow" in read_until(client, b"/next")


def test_a_large_answer_to_a_slow_reader_arrives_whole() -> None:
    size = 8 * 1024 * 1024

    def app(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", str(size))])
        return (bytes(64 * 1024) for _ in range(size // (64 * 1024)))

    with serving(app, outbuf_overflow=2 * size) as (loop, port), connected(port) as client:
        client.sendall(GET % b"/")
        time.sleep(0.2)
        turns = loop.turns
        time.sleep(0.3)
        assert loop.turns - turns < 20, "the loop spins while the client does not read"
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1 << 16)
        left = size - len(head.partition(b"\r\n\r\n")[2])
        while left:
            part = client.recv(1 << 20)
            assert part
            left -= len(part)
        client.sendall(GET % b"/")
        assert client.recv(12) == b"HTTP/1.1 200"


def test_the_loop_rests_while_a_worker_has_begun_to_write() -> None:
    wait = threading.Event()

    def app(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "2")])
        yield b"a"
        wait.wait(5)
        yield b"b"

    with serving(app) as (loop, port), connected(port) as client:
        client.sendall(GET % b"/")
        time.sleep(0.1)
        with connected(port):  # a turn, in which the half answer is seen
            time.sleep(0.1)
            turns = loop.turns
            time.sleep(0.3)
            assert loop.turns - turns < 20
            wait.set()
            read_until(client, b"\r\n\r\nab")


def test_what_waitress_gives_up_is_closed_by_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "SWEEP", 0.05)
    with serving(path, channel_timeout=0, cleanup_interval=0) as (_, port), connected(port) as client:
        assert client.recv(1) == b""


def test_at_the_connection_limit_a_client_waits_for_another_to_leave() -> None:
    with serving(path, connection_limit=4) as (_, port), connected(port) as first, connected(port) as second:
        for one in (first, second):
            ask(one, b"/in")
        with connected(port) as third:
            third.sendall(GET % b"/late")
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(1)
            first.close()
            third.settimeout(5)
            read_until(third, b"/late")
