"""Where a URL leads, and what is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from groundschool import endpoint
from groundschool.errors import BuildError, UsageError
from groundschool.workshop.waiting import Wait, wait_for
from groundschool.workshop.world import choose_subnets

real_fetch = endpoint.fetch


@pytest.mark.parametrize(
    ("url", "host", "port", "header", "target"),
    [
        (
            "http://visitor-board-1.eu-north-1.elb.localhost:8080/",
            "127.0.0.1",
            8080,
            "visitor-board-1.eu-north-1.elb.localhost:8080",
            "/",
        ),
        ("http://localhost", "127.0.0.1", 80, "localhost", "/"),
        ("http://board.localhost/a?b=c", "127.0.0.1", 80, "board.localhost", "/a?b=c"),
        ("http://notlocalhost/", "notlocalhost", 80, "notlocalhost", "/"),
        ("https://board.example/x", "board.example", 443, "board.example", "/x"),
        ("http://127.0.4.7:8080/health", "127.0.4.7", 8080, "127.0.4.7:8080", "/health"),
        ("http://user:secret@board.example/", "board.example", 80, "board.example", "/"),
        ("http://[::1]:81/", "::1", 81, "[::1]:81", "/"),
    ],
)
def test_localhost_names_lead_to_loopback_and_keep_their_name(
    url: str, host: str, port: int, header: str, target: str
) -> None:
    found = endpoint.locate(url)

    assert (found.connect_host, found.connect_port) == (host, port)
    assert (found.host_header, found.target) == (header, target)


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("127.0.0.1:9080", True),
        ("127.1.20.1", True),
        ("[::1]:80", True),
        ("localhost", True),
        ("board.eu-north-1.elb.localhost:8080", True),
        ("localhost.example:9080", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_a_host_header_names_this_machine_or_another(header: str, ours: bool) -> None:
    assert endpoint.names_this_machine(header) is ours


@pytest.mark.parametrize(
    "url", ["", "board.example", "ftp://board.example/", "http://", "http://host:99999/", "http:///x"]
)
def test_what_is_no_http_url_is_a_usage_error_with_an_example(url: str) -> None:
    with pytest.raises(UsageError, match=r"Give one like http://"):
        endpoint.locate(url)


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(f"{self.headers['Host']} {self.path}".encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"board-1.elb.localhost:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_fetch_asks_loopback_for_the_name(server: str) -> None:
    answer = real_fetch(f"http://{server}/page?x=1")

    assert (answer.status, answer.body.decode()) == (200, f"{server} /page?x=1")
    assert 0 < answer.seconds < 5


def test_a_redirect_is_an_answer(server: str) -> None:
    answer = real_fetch(f"http://{server}/moved")

    assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


def test_nobody_there_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError, match=r"26499.* did not answer"):
        real_fetch("http://127.0.0.1:26499/")


def test_waiting_asks_often_at_first_and_rarely_later_and_ends() -> None:
    now, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    with pytest.raises(BuildError, match=r"Waited 300 s for the moon, in vain"):
        wait_for("the moon", lambda: None, Wait(300, 0.2, 5), monotonic=lambda: now[0], sleep=sleep)

    assert pauses[0] == 0.2
    assert max(pauses) == 5
    assert pauses == sorted(pauses)
    assert 60 < len(pauses) < 110


def test_waiting_returns_what_was_found_at_the_first_look() -> None:
    assert wait_for("a thing", lambda: "it", Wait(1, 1, 1), sleep=lambda _: pytest.fail("no need to wait")) == "it"


def test_one_subnet_is_chosen_in_each_of_the_first_zones() -> None:
    subnets = [{"AvailabilityZone": f"r{zone}", "SubnetId": f"subnet-{zone}"} for zone in "cab"]

    assert choose_subnets(subnets, 2, "r") == ("subnet-a", "subnet-b")  # type: ignore[arg-type]
    with pytest.raises(BuildError, match=r"in 3 availability zone\(s\), and 4 are needed"):
        choose_subnets(subnets, 4, "r")  # type: ignore[arg-type]
