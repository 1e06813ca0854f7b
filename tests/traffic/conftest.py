"""A board small enough to misbehave on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PORTS = range(27000, 27100)


class TinyBoard(ThreadingHTTPServer):
    """Serves the page and takes posts, with a delay, and fails or hangs up when told to."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.lock = threading.Lock()
        self.delay = 0.0
        self.status = 200
        self.hang_up = False
        self.hosts: set[str] = set()
        self.posts: list[str] = []
        self.pages = 0
        self.list_status = 200
        self.instances = ["i-0123456789abcdef0"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave early are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment, or Nagle's algorithm adds 40 ms to every answer
    server: TinyBoard

    def do_GET(self) -> None:
        if self.path.startswith("/api/messages"):
            ids = [{"id": f"m-{number}"} for number in range(1, len(self.server.posts) + 1)]
            self.answer(json.dumps({"messages": ids, "next": None}).encode(), self.server.list_status)
            return
        with self.server.lock:
            self.server.pages += 1
        self.answer(b"<h1>Visitor Board</h1>", self.server.status)

    def do_POST(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        with self.server.lock:
            self.server.posts.append(text)
            message = {"id": f"m-{len(self.server.posts)}", "text": text}
        body = json.dumps({"message": message, "served_by": {}}).encode()
        self.answer(body, 201)

    def answer(self, body: bytes, status: int) -> None:
        self.server.hosts.add(self.headers["Host"])
        time.sleep(self.server.delay)
        if self.server.hang_up:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        instances = self.server.instances
        self.send_header("X-Served-By", instances[self.server.pages % len(instances)])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def board() -> Iterator[TinyBoard]:
    for port in PORTS:
        try:
            server = TinyBoard(port)
            break
        except OSError:
            continue
    else:
        pytest.fail("no free port for the tiny board")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
