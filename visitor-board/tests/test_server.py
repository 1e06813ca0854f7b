"""The board as a process: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from visitor_board import server
from visitor_board.feed import Feed
from visitor_board.settings import Settings

Serve = Callable[..., "Process"]


class Process:
    """A running board."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "visitor_board", "serve"],
            env={**os.environ, "PORT": str(port), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, method: str, path: str, body: str | None = None, timeout: float = 10.0) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def end(self) -> str:
        self.popen.terminate()
        return self.popen.communicate(timeout=30)[1]


@pytest.fixture
def serve(free_port: Callable[[], int], wait_for: Callable[..., None]) -> Iterator[Serve]:
    """Starts boards on the store named by the environment given."""
    started: list[Process] = []

    def start(**environment: str) -> Process:
        process = Process(free_port(), environment)
        started.append(process)
        wait_for(process.answers)
        return process

    yield start
    for process in started:
        process.popen.kill()
        process.popen.communicate()


@pytest.fixture
def on_table(feed: Feed, settings: Settings) -> dict[str, str]:
    """The environment of a board on a table that exists."""
    return {"AWS_ENDPOINT_URL_DYNAMODB": settings.endpoint, "TABLE_NAME": settings.table_name}


@pytest.fixture
def slow_table() -> Iterator[Callable[[float], dict[str, str]]]:
    """The environment of a board whose table answers after some seconds."""
    opened: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(seconds: float) -> dict[str, str]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                time.sleep(seconds)
                self.send_response(200)
                self.send_header("Content-Length", "12")
                self.end_headers()
                self.wfile.write(b'{"Items":[]}')

            def log_message(self, *_: object) -> None:
                """Silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, *_: object) -> None:
                """The board gave up on us: that is the test."""

        one = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        opened.append((one, thread))
        return {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{one.server_address[1]}"}

    yield start
    for one, thread in opened:
        one.shutdown()
        thread.join()
        one.server_close()


def test_it_is_small_and_starts_fast(serve: Serve, on_table: dict[str, str]) -> None:
    board = serve(**on_table)
    usage = psutil.Process(board.popen.pid)
    assert sum(usage.cpu_times()[:2]) < 1.0, "CPU seconds to the first answer"
    for n in range(100):
        board.ask("GET", "/")
        board.ask("POST", "/api/messages", json.dumps({"text": f"{n} {'x' * 400}"}))
    assert usage.memory_info().rss < 60e6
    assert usage.children() == []


def test_sigterm_answers_what_is_in_flight_and_ends_cleanly(
    serve: Serve, slow_table: Callable[[float], dict[str, str]], wait_for: Callable[..., None]
) -> None:
    board = serve(**slow_table(0.7))
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(board.ask, "GET", "/api/messages") for _ in range(4)]
        time.sleep(0.3)  # the requests are inside; how far does not matter
        errors = board.end()
        assert [answer.result()[0] for answer in asked] == [200] * 4
    assert board.popen.returncode == 0
    assert "Traceback" not in errors
    assert not board.answers()


def test_a_killed_instance_loses_no_acknowledged_message_and_none_is_doubled(
    serve: Serve, on_table: dict[str, str], feed: Feed
) -> None:
    dying, survivor = serve(**on_table), serve(**on_table)
    acknowledged: list[str] = []

    def visit(visitor: int) -> None:
        board = dying
        for n in range(30):
            text = f"visitor {visitor} message {n}"
            body = json.dumps({"text": text, "client_token": secrets.token_hex(16)})
            try:
                status, _ = board.ask("POST", "/api/messages", body)
            except (OSError, http.client.HTTPException):  # killed: nobody knows whether it was stored
                board = survivor
                status, _ = board.ask("POST", "/api/messages", body)
            assert status == 201
            acknowledged.append(text)
            if len(acknowledged) == 60:
                dying.popen.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(visit, range(6)))
    page = feed.newest(100, consistent=True)
    stored = [message.text for message in page.messages]
    while page.next:
        page = feed.older(100, page.next)
        stored += [message.text for message in page.messages]
    assert len(acknowledged) == 180
    assert sorted(stored) == sorted(acknowledged)


def test_health_is_answered_while_the_table_hangs(serve: Serve, slow_table: Callable[[float], dict[str, str]]) -> None:
    board = serve(BOARD_THREADS="4", **slow_table(30.0))
    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(board.ask, "GET", "/api/messages", None, 30.0) for _ in range(24)]
        time.sleep(0.3)
        begun = time.monotonic()
        assert board.ask("GET", "/health")[0] == 200
        assert time.monotonic() - begun < 4.0, "a balancer's time-out is 5 s"
        assert {answer.result()[0] for answer in asked} == {503}
    begun = time.monotonic()
    assert board.ask("GET", "/health")[0] == 200
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 20_000 + b"\r\n\r\n", b" 431 ", id="huge header"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b" 413 ", id="huge body announced"
        ),
        pytest.param(b"NONSENSE\r\n\r\n", b" 400 ", id="not HTTP"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b" 4",
            id="two lengths",
        ),
    ],
)
def test_what_is_no_sane_http_is_refused_by_the_server(
    serve: Serve, on_table: dict[str, str], request_bytes: bytes, status: bytes
) -> None:
    board = serve(**on_table)
    with socket.create_connection(("127.0.0.1", board.port), timeout=5) as client:
        client.sendall(request_bytes)
        assert status in client.recv(200).splitlines()[0]
    assert board.answers()


def test_slow_clients_do_not_keep_others_waiting(serve: Serve, on_table: dict[str, str]) -> None:
    board = serve(**on_table)
    slow = [socket.create_connection(("127.0.0.1", board.port)) for _ in range(50)]
    for client in slow:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nte")
    assert board.answers()
    for client in slow:
        client.close()


def test_an_idle_connection_outlives_the_balancers() -> None:
    assert server.IDLE_TIMEOUT > 60


def test_a_request_that_does_not_arrive_is_given_up_after_two_periods() -> None:
    class Channel:
        will_close = False

        def __init__(self, request: object) -> None:
            self.request = request

    class Waitress:
        active_channels = {1: Channel(object()), 2: Channel(None), 3: Channel(object())}  # noqa: RUF012

    late = server._close_late(Waitress, {})
    Waitress.active_channels[3].request = object()  # the next request on a kept connection
    server._close_late(Waitress, late)
    assert [channel.will_close for channel in Waitress.active_channels.values()] == [True, False, False]
