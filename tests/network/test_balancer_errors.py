"""What a client gets when a target fails: AWS's status codes, and never a silently repeated request."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from groundschool.cloud.network.plan import HealthCheck, Listener


def listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def raw(data: bytes):
    def answer(handler):
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda handler: handler.reset(), id="a reset"),
        pytest.param(raw(b""), id="a closed connection"),
        pytest.param(raw(b"this is not HTTP\r\n\r\n"), id="garbage"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_target_that_breaks_off_is_a_502_and_is_asked_once(network, answer, method):
    for number in (1, 2):
        network.target(number).answers["/broken"] = answer
    network.apply(network.group(1, 2))
    network.wait_healthy(1, 2)
    got = network.ask("/broken", method, "x" if method == "POST" else None)
    assert (got.status, got.headers["Server"]) == (502, "awselb/2.0")
    assert "<h1>502 Bad Gateway</h1>" in got.body
    assert sum(len(target.requests()) for target in network.targets) == 1


def test_a_target_that_does_not_answer_is_a_504_after_the_idle_timeout(network):
    network.target(1).answers["/hang"] = lambda handler: handler.rfile.read(1)
    network.apply(network.group(1), balancer=network.balancer(idle_timeout=1))
    network.wait_healthy(1)
    begin = time.monotonic()
    got = network.ask("/hang")
    assert (got.status, got.headers["Server"]) == (504, "awselb/2.0")
    assert "<h1>504 Gateway Time-out</h1>" in got.body
    assert 0.9 < time.monotonic() - begin < 3


def test_without_registered_targets_the_answer_is_503(network):
    network.apply(network.group())
    network.wait_serving(503)
    assert "<h1>503 Service Temporarily Unavailable</h1>" in network.ask().body


def test_a_targets_own_error_page_passes_untouched(network):
    network.target(1).answers["/error"] = lambda handler: handler.send(503, "my own words")
    network.apply(network.group(1))
    network.wait_healthy(1)
    got = network.ask("/error")
    assert (got.status, got.body) == (503, "my own words")
    assert got.headers["Server"].startswith("BaseHTTP/")


def test_every_request_is_recorded_with_who_answered(network, wait_for):
    target = network.target(1)
    target.answers["/slow"] = lambda handler: (time.sleep(0.2), handler.send(200, "slow"))
    target.answers["/error"] = lambda handler: handler.send(500)
    target.answers["/reset"] = lambda handler: handler.reset()
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.plane.take_requests()
    for path in ("/slow", "/error", "/reset"):
        network.ask(path)
    network.change(target_groups=(network.group(),))
    network.wait_serving(503)
    records = []
    wait_for(lambda: records.extend(network.plane.take_requests()) or len(records) >= 4, "four records")
    slow, error, reset = records[:3]
    assert [(r.status, r.from_target) for r in (slow, error, reset)] == [(200, True), (500, True), (502, False)]
    assert records[-1].status == 503
    assert (records[-1].target_group, records[-1].instance_id) == (None, None)
    assert (slow.load_balancer, slow.target_group) == (network.balancer().arn, network.group_arn)
    assert slow.instance_id == "i-1"
    assert 0.19 < slow.seconds < 0.5
    assert error.seconds < 0.1
    assert abs(slow.finished_at - time.time()) < 10
    assert slow.received_bytes > 50
    assert slow.sent_bytes > 50


def test_a_client_that_leaves_is_recorded_as_460(network, wait_for):
    target = network.target(1)
    target.answers["/slow"] = lambda handler: (time.sleep(0.3), handler.send(200, "late"))
    network.apply(network.group(1))
    network.wait_healthy(1)
    with socket.create_connection(("127.0.0.1", network.edge)) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: lab\r\n\r\n")
        wait_for(lambda: bool(target.requests()), "the target works")
    records = []
    wait_for(lambda: bool(records.extend(network.plane.take_requests()) or records), "a record")
    assert [(record.status, record.from_target) for record in records] == [(460, False)]


def test_an_answer_that_had_begun_is_the_targets(network, wait_for):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 10_000)

    network.target(1).answers["/endless"] = endless
    network.apply(network.group(1))
    network.wait_healthy(1)
    with socket.create_connection(("127.0.0.1", network.edge)) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: lab\r\n\r\n")
        client.recv(1000)
    records = []
    wait_for(lambda: bool(records.extend(network.plane.take_requests()) or records), "a record")
    assert [(record.status, record.from_target) for record in records] == [(200, True)]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_no_target_has_seen_goes_to_another_one(network, wait_for, method):
    """An instance that vanished between two health checks refuses connections: repeating is safe, even of a POST."""
    network.target(2)
    check = HealthCheck("/health", interval=3000)
    network.target(1)
    network.apply(network.group(1, 2, health_check=check))
    network.wait_healthy(1, 2)
    network.change(interfaces=(network.interface(2),))
    wait_for(lambda: not listens("127.0.10.1", 22100), "the interface is gone")
    body = "x" if method == "POST" else None
    assert {network.ask("/", method, body).body for _ in range(6)} == {"i-2"}
    assert network.health(1).state == "healthy"


def test_an_unused_connection_is_closed_by_the_balancer_not_by_the_target(network, wait_for):
    """Otherwise a target closes it now and then in the moment in which a request is sent, which is lost."""
    target = network.target(1)
    target.keep_alive = 2.0  # gunicorn's default, the shortest of the usual servers
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.ask()
    wait_for(lambda: bool(target.closed), "the connection is closed")
    assert set(target.closed) == {"balancer"}


def test_listeners_of_a_plan_come_and_go(network, wait_for):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    second = Listener(network.listener().arn + "b", 8080, 22081, network.forward())
    network.change(load_balancers=(network.balancer(network.listener(), second),))
    wait_for(lambda: listens("127.0.0.1", 22081), "the second listener")
    network.change(load_balancers=(network.balancer(network.listener()),))
    wait_for(lambda: not listens("127.0.0.1", 22081), "it is gone")
    assert network.ask().body == "i-1"
