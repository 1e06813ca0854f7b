"""Where clients reach a load balancer: ports of this machine, kept as long as the balancer lives."""

from __future__ import annotations

import socket

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.load_balancing import edge_ports
from groundschool.cloud.load_balancing.edge_ports import EdgePorts


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports this machine has free; every look at one is counted in ``looked``."""
    ports = list(range(8080, 8090))
    monkeypatch.setattr(edge_ports, "LAST_EDGE_PORT", 8089)
    monkeypatch.setattr(edge_ports, "_can_listen", ports.__contains__)
    return ports


def port_of(name: str) -> int:
    return int(name.rpartition(":")[2])


def test_a_name_says_where_it_is_served(free: list[int]) -> None:
    ports = EdgePorts("eu-north-1")
    assert ports.dns_name("arn:1", "web") == "web-1.eu-north-1.elb.localhost:8080"
    assert ports.dns_name("arn:2", "web") == "web-2.eu-north-1.elb.localhost:8081"


def test_each_lab_begins_elsewhere_and_comes_round(free: list[int]) -> None:
    ports = EdgePorts("eu-north-1", address_block=1)
    assert port_of(ports.dns_name("arn:1", "web")) == 8087
    free[:] = [8080]
    assert port_of(ports.dns_name("arn:2", "web")) == 8080


def test_a_port_somebody_else_has_is_passed_over(free: list[int]) -> None:
    free.remove(8080)
    assert port_of(EdgePorts("eu-north-1").dns_name("arn:1", "web")) == 8081


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        pytest.param([], {}, id="no listener"),
        pytest.param([("http", 80)], {"http": 8080}, id="HTTP at the name's port"),
        pytest.param([("http", 80), ("https", 443)], {"http": 8080, "https": 8080}, id="HTTP and HTTPS share it"),
        pytest.param([("other", 8443)], {"other": 8080}, id="the only listener has it"),
        pytest.param([("other", 8443), ("http", 80)], {"other": 8081, "http": 8080}, id="80 before others"),
        pytest.param([("a", 81), ("b", 82), ("c", 83)], {"a": 8080, "b": 8081, "c": 8082}, id="each its own"),
    ],
)
def test_listeners_are_reached_at(free: list[int], listeners: list[tuple[str, int]], expected: dict[str, int]) -> None:
    ports = EdgePorts("eu-north-1")
    ports.dns_name("arn:1", "web")
    assert ports.of_listeners("arn:1", listeners) == expected
    assert ports.of_listeners("arn:1", listeners) == expected


def test_what_has_its_port_keeps_it_when_no_other_is_free(free: list[int]) -> None:
    ports = EdgePorts("eu-north-1")
    name = ports.dns_name("arn:1", "web")
    free.clear()
    assert ports.of_listeners("arn:1", [("http", 80)]) == {"http": port_of(name)}


def test_when_no_port_is_free_aws_is_unavailable(free: list[int]) -> None:
    free.clear()
    with pytest.raises(AwsError) as refused:
        EdgePorts("eu-north-1").dns_name("arn:1", "web")
    assert (refused.value.code, refused.value.status) == ("ServiceUnavailable", 503)


def test_ports_of_what_was_deleted_are_free_again(free: list[int]) -> None:
    ports = EdgePorts("eu-north-1")
    ports.dns_name("arn:1", "web")
    ports.of_listeners("arn:1", [("http", 80), ("other", 81)])
    ports.keep_only({"arn:1"}, {"http"})
    assert port_of(ports.dns_name("arn:2", "web")) == 8081
    ports.keep_only({"arn:2"}, set())
    assert port_of(ports.dns_name("arn:3", "web")) == 8080


def test_a_port_in_use_is_found_by_trying() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not edge_ports._can_listen(server.getsockname()[1])
