"""A listener's rules and a target group's algorithm, through a real Envoy."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter

import pytest

from groundschool.cloud.network.plan import Algorithm, FixedResponse, Forward, Redirect, Rule


def test_round_robin_gives_every_target_its_turn(network):
    for number in (1, 2, 3):
        network.target(number)
    network.apply(network.group(1, 2, 3))
    network.wait_healthy(1, 2, 3)
    served = Counter(network.ask().body for _ in range(30))
    assert served == {"i-1": 10, "i-2": 10, "i-3": 10}


def test_a_slow_starter_gets_a_small_share_that_grows_to_a_full_one(network, wait_for):
    """100 lab seconds are 2 real ones here; the first target has its own behind it when the second comes."""
    for number in (1, 2):
        network.target(number)
    network.apply(network.group(1, slow_start=100))
    network.wait_healthy(1)
    warm = time.monotonic() + 2.2
    wait_for(lambda: network.ask().status == 200 and time.monotonic() > warm, "the end of the first one's start")
    network.apply(network.group(1, 2, slow_start=100))
    network.wait_healthy(2)
    served = Counter(network.ask().body for _ in range(40))
    assert 0 < served["i-2"] <= 12
    wait_for(lambda: Counter(network.ask().body for _ in range(20))["i-2"] >= 9, "a full share")


def test_least_outstanding_requests_spares_the_busy_target(network):
    busy, _idle = network.target(1), network.target(2)
    release = threading.Event()
    busy.answers["/slow"] = lambda handler: (release.wait(10), handler.send(200, "slow"))
    network.targets[1].answers["/slow"] = busy.answers["/slow"]
    network.apply(network.group(1, 2, algorithm=Algorithm.LEAST_OUTSTANDING_REQUESTS))
    network.wait_healthy(1, 2)
    slow = threading.Thread(target=network.ask, args=("/slow",))
    slow.start()
    try:
        while not any(seen.path == "/slow" for target in network.targets for seen in target.seen):
            pass
        holder = next(target for target in network.targets if target.requests())
        served = Counter(network.ask().body for _ in range(20))
    finally:
        release.set()
        slow.join()
    assert served[holder.name] == 0


def test_the_target_sees_who_asked_and_how(network):
    target = network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.ask("/page?x=1", X_Forwarded_For="203.0.113.9", Host="board.example")
    headers = target.requests()[-1].headers
    assert headers["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Port"]) == ("http", "80")
    assert headers["Host"] == "board.example"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["X-Amzn-Trace-Id"])
    assert not [name for name in headers if name.lower().startswith("x-envoy")]


def test_an_incoming_trace_root_is_kept(network):
    target = network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    root = "Root=1-67891233-abcdef012345678912345678"
    network.ask(X_Amzn_Trace_Id=root)
    assert re.fullmatch(
        rf"Self=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};{root}", target.requests()[-1].headers["X-Amzn-Trace-Id"]
    )


def test_the_targets_own_headers_reach_the_client_unchanged(network):
    target = network.target(1)
    target.answers["/"] = lambda handler: handler.send(201, "made", **{"X-Custom-Case": "1"})
    network.apply(network.group(1))
    network.wait_healthy(1)
    answer = network.ask()
    assert answer.status == 201
    assert answer.headers["Server"].startswith("BaseHTTP/")
    assert "X-Custom-Case" in answer.headers.keys()  # noqa: SIM118 - the names as they were sent


def test_a_client_keeps_its_connection(network):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    connection = http.client.HTTPConnection("127.0.0.1", network.edge, timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"i-1"
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


RULES = (
    Rule(FixedResponse(418, "text/plain", "teapot"), path_patterns=("/tea", "/pot/*")),
    Rule(FixedResponse(403, "application/json", "{}"), path_patterns=("/admin/?",), host_patterns=("*.example.com",)),
    Rule(Redirect(301, protocol="HTTPS", port="443"), path_patterns=("/old/*",)),
    Rule(Redirect(302, host="new.#{host}", path="/v2/#{path}", query="from=lab&#{query}"), path_patterns=("/moved",)),
    Rule(FixedResponse(503, "text/html", "closed"), path_patterns=("/closed",)),
)


@pytest.mark.parametrize(
    ("path", "host", "expected"),
    [
        pytest.param("/tea", "a", (418, "teapot"), id="exact path"),
        pytest.param("/tea?x=/pot", "a", (418, "teapot"), id="the query is no part of the path"),
        pytest.param("/teapot", "a", (200, "i-1"), id="an exact path is not a prefix"),
        pytest.param("/pot/a/b", "a", (418, "teapot"), id="star spans slashes"),
        pytest.param("/admin/x", "WWW.example.com:8080", (403, "{}"), id="path and host, any case, any port"),
        pytest.param("/admin/x", "example.org", (200, "i-1"), id="both conditions must hold"),
        pytest.param("/admin/xy", "www.example.com", (200, "i-1"), id="question mark is one character"),
        pytest.param("/closed", "a", (503, "closed"), id="a fixed 503 keeps its own body"),
    ],
)
def test_rules_choose_the_action(rules_network, path, host, expected):
    answer = rules_network.ask(path, Host=host)
    assert (answer.status, answer.body) == expected


@pytest.mark.parametrize(
    ("path", "host", "status", "location"),
    [
        pytest.param("/old/a?b=1", "lab:22080", 301, "https://lab:443/old/a?b=1", id="to https"),
        pytest.param("/old/a", "lab", 301, "https://lab:443/old/a", id="no query, no question mark"),
        pytest.param("/moved?a=1", "lab", 302, "http://new.lab:22080/v2/moved?from=lab&a=1", id="all placeholders"),
    ],
)
def test_redirects_fill_in_the_request(rules_network, path, host, status, location):
    answer = rules_network.ask(path, Host=host)
    assert (answer.status, answer.headers["location"]) == (status, location)


def test_the_balancers_own_answers_are_signed_by_it(rules_network):
    answer = rules_network.ask("/tea")
    assert (answer.headers["Server"], answer.headers["Content-Type"]) == ("awselb/2.0", "text/plain")


@pytest.fixture
def rules_network(network):
    network.target(1)
    network.apply(network.group(1), balancer=network.balancer(network.listener(rules=RULES)))
    network.wait_healthy(1)
    return network


def test_weights_divide_the_requests(network):
    network.target(1)
    network.target(2)
    blue, green = network.group(1, name="1"), network.group(2, name="2")
    split = Forward(((blue.arn, 1), (green.arn, 3)))
    network.apply(blue, green, balancer=network.balancer(network.listener(split)))
    network.wait_healthy(1)
    network.wait_serving()
    served = Counter(network.ask().body for _ in range(200))
    assert 100 < served["i-2"] < 190
    assert served.total() == served["i-1"] + served["i-2"]


def test_a_cookie_keeps_a_client_on_its_target(network):
    network.target(1)
    network.target(2)
    network.apply(network.group(1, 2, stickiness_seconds=3600))
    network.wait_healthy(1, 2)
    first = network.ask()
    name, _, rest = first.headers["set-cookie"].partition("=")
    assert name == "AWSALB"
    served = {network.ask(Cookie=f"AWSALB={rest.split(';')[0]}").body for _ in range(10)}
    assert served == {first.body}
    assert {network.ask().body for _ in range(10)} == {"i-1", "i-2"}


def test_http_and_https_share_an_edge_port(network, certificate):
    network.target(1)
    pem, key = certificate
    https = network.listener(port=443, protocol="HTTPS", certificate_pem=pem, private_key_pem=key)
    http_only = network.listener(Redirect(301, protocol="HTTPS", port="443"))
    network.apply(network.group(1), balancer=network.balancer(http_only, https))
    network.wait_healthy(1)
    assert network.ask_tls().body == "i-1"
    assert network.targets[0].requests()[-1].headers["X-Forwarded-Proto"] == "https"
    assert network.ask("/a", Host="lab").headers["location"] == f"https://lab:{network.edge}/a"


@pytest.fixture(scope="module")
def certificate():
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lb-1.elb.localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), private.decode()
