"""Who may connect to an interface or a load balancer."""

from __future__ import annotations

import http.client
import socket

import pytest

from groundschool.cloud.network.plan import NetworkPlan

ADDRESS = ("127.0.10.1", 22100)


def listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def ask_from(source: str, address: tuple[str, int], silent: bool = False) -> str:
    """``answered``, ``hangs`` or ``closed``."""
    with socket.create_connection(address, 2, (source, 0)) as connection:
        connection.settimeout(0.4)
        if not silent:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        try:
            return "answered" if connection.recv(1000) else "closed"
        except TimeoutError:
            return "hangs"


@pytest.mark.parametrize(
    ("allowed", "source", "expected"),
    [
        pytest.param(("0.0.0.0/0",), "127.0.0.1", "answered", id="everybody"),
        pytest.param(("127.0.10.200/32",), "127.0.10.200", "answered", id="one address"),
        pytest.param(("127.0.10.200/32",), "127.0.10.201", "hangs", id="its neighbour"),
        pytest.param(("127.0.11.0/24", "127.0.10.200/32"), "127.0.11.7", "answered", id="one of several"),
        pytest.param(("127.0.10.200/32", "127.0.10.200/32", "::/0"), "127.0.10.200", "answered", id="repeated"),
        pytest.param((), "127.0.0.1", "hangs", id="nobody"),
        pytest.param(("10.0.0.0/8",), "127.0.0.1", "hangs", id="other networks"),
    ],
)
def test_an_interface_admits_what_its_security_groups_allow(network, wait_for, allowed, source, expected):
    network.target(1)
    network.plane.apply(NetworkPlan(interfaces=(network.interface(1, allowed),)))
    wait_for(lambda: listens(ADDRESS), "the interface listens")
    assert ask_from(source, ADDRESS) == expected


def test_a_silent_stranger_never_reaches_the_instance(network, wait_for):
    network.target(1)
    network.plane.apply(NetworkPlan(interfaces=(network.interface(1, ()),)))
    wait_for(lambda: listens(ADDRESS), "the interface listens")
    assert ask_from("127.0.0.1", ADDRESS, silent=True) == "hangs"
    assert network.targets[0].seen == []


def test_a_load_balancer_has_security_groups_too(network, wait_for):
    network.target(1)
    network.apply(network.group(1), balancer=network.balancer(allowed_sources={80: ("127.0.12.0/24",)}))
    network.wait_healthy(1)
    edge = ("127.0.0.1", network.edge)
    assert ask_from("127.0.12.1", edge) == "answered"
    assert ask_from("127.0.0.1", edge) == "hangs"


def test_another_rule_leaves_open_connections_alone(network, wait_for):
    target = network.target(1)
    network.plane.apply(NetworkPlan(interfaces=(network.interface(1, ("127.0.10.200/32",)),)))
    wait_for(lambda: listens(ADDRESS), "the interface listens")
    connection = http.client.HTTPConnection(*ADDRESS, timeout=2, source_address=("127.0.10.200", 0))
    connection.request("GET", "/1")
    assert connection.getresponse().read() == b"i-1"
    opened = connection.sock
    network.plane.apply(NetworkPlan(interfaces=(network.interface(1, ("127.0.10.200/32", "127.0.10.9/32")),)))
    wait_for(lambda: ask_from("127.0.10.9", ADDRESS) == "answered", "the new rule")
    connection.request("GET", "/2")
    assert connection.getresponse().read() == b"i-1"
    assert connection.sock is opened
    connection.close()
    assert "/2" in [seen.path for seen in target.seen]
