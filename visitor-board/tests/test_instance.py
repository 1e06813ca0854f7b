from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from visitor_board import instance as instance_module
from visitor_board.instance import identify


@pytest.fixture
def metadata_service() -> Iterator[str]:
    """IMDSv2: no answer without a token."""
    answers = {
        "/latest/meta-data/instance-id": "i-0abc",
        "/latest/meta-data/placement/availability-zone": "eu-north-1b",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._answer(200 if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else 400, "the-token")

        def do_GET(self) -> None:
            known = self.headers["X-aws-ec2-metadata-token"] == "the-token"
            self._answer(200 if known else 401, answers[self.path])

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_on_ec2_the_metadata_service_says_who_we_are(metadata_service: str) -> None:
    instance = identify({"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata_service}/"})
    assert (instance.id, instance.zone, instance.on_ec2) == ("i-0abc", "eu-north-1b", True)


def test_elsewhere_it_is_the_hostname(free_port: Callable[[], int]) -> None:
    for environment in (
        {"AWS_EC2_METADATA_DISABLED": "true"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{free_port()}"},
    ):
        instance = identify(environment)
        assert (instance.id, instance.on_ec2) == (socket.gethostname(), False)


def test_a_silent_metadata_service_does_not_hold_up_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr("visitor_board.instance._DEFAULT_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        instance = identify({})
    assert not instance.on_ec2
    assert time.monotonic() - begun < 1.6


def test_a_metadata_service_that_was_named_is_asked_again(
    metadata_service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([ValueError("busy"), ValueError("busy")])
    ask = instance_module._ask

    def busy_at_first(*arguments: object) -> str:
        for failure in failures:
            raise failure
        return ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(instance_module, "_ask", busy_at_first)
    assert identify({"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_service}).id == "i-0abc"
