"""Health checks by a real Envoy, told in AWS's words."""

from __future__ import annotations

import threading

import pytest

from groundschool.cloud.network.data_plane import TargetHealth
from groundschool.cloud.network.plan import HealthCheck, NetworkPlan


def unhealthy(reason: str, description: str) -> TargetHealth:
    return TargetHealth("unhealthy", reason, description)


def test_a_wrong_status_is_named(network, wait_for):
    network.target(1).health = 500
    network.apply(network.group(1))
    expected = unhealthy("Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]")
    wait_for(lambda: network.health(1) == expected, "the code is named")


def test_a_target_that_does_not_listen_fails(network, wait_for):
    network.apply(network.group(1))
    expected = unhealthy("Target.FailedHealthChecks", "Health checks failed")
    wait_for(lambda: network.health(1) == expected, "nobody listens")


def test_a_target_that_does_not_answer_times_out(network, wait_for):
    release = threading.Event()
    target = network.target(1)
    target.answer = lambda seen, handler: release.wait(20)
    check = HealthCheck("/health", interval=5, timeout=0.5, unhealthy_threshold=1)
    network.apply(network.group(1, health_check=check))
    try:
        wait_for(lambda: network.health(1) == unhealthy("Target.Timeout", "Request timed out"), "time-out")
    finally:
        release.set()


def test_a_security_group_that_forgets_the_balancer_times_out(network, wait_for):
    network.target(1)
    check = HealthCheck("/health", interval=5, timeout=0.5, unhealthy_threshold=1)
    network.apply(network.group(1, health_check=check), interfaces=(network.interface(1, ("127.0.10.9/32",)),))
    wait_for(lambda: network.health(1) == unhealthy("Target.Timeout", "Request timed out"), "time-out")


def test_the_check_looks_like_awss(network):
    target = network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    headers = {name.lower(): value for name, value in target.seen[0].headers.items()}
    assert headers["user-agent"] == "ELB-HealthChecker/2.0"
    assert headers["host"] == "127.0.10.1:22100"


def test_a_slow_starter_is_healthy_after_one_pass_and_a_recovered_one_after_the_threshold(network, wait_for):
    target = network.target(1)
    check = HealthCheck("/health", interval=5, healthy_threshold=4, unhealthy_threshold=50)
    target.health = 503
    network.apply(network.group(1, health_check=check))
    wait_for(lambda: len(target.seen) >= 3, "three failed checks")
    assert network.health(1).state == "initial"
    target.health, before = 200, len(target.seen)
    network.wait_healthy(1)
    assert len(target.seen) - before <= 2

    network.apply(network.group(1, health_check=HealthCheck("/health", interval=5, healthy_threshold=4)))
    target.health = 503
    wait_for(lambda: network.health(1).state == "unhealthy", "unhealthy")
    target.health, before = 200, len(target.seen)
    network.wait_healthy(1)
    assert len(target.seen) - before >= 4


def test_an_unhealthy_target_gets_nothing_until_it_has_recovered(network, wait_for):
    sick = network.target(1)
    network.target(2)
    check = HealthCheck("/health", interval=10, healthy_threshold=3)
    network.apply(network.group(1, 2, health_check=check))
    network.wait_healthy(1, 2)
    sick.health = 503
    wait_for(lambda: network.health(1).state == "unhealthy", "unhealthy")
    assert {network.ask().body for _ in range(10)} == {"i-2"}
    sick.health = 200
    checks = len(sick.seen)
    wait_for(lambda: len(sick.seen) >= checks + 2, "two passed checks, one missing")
    assert network.health(1).state == "unhealthy"
    assert {network.ask().body for _ in range(4)} == {"i-2"}
    network.wait_healthy(1)
    wait_for(lambda: {network.ask().body for _ in range(4)} == {"i-1", "i-2"}, "both serve")


def test_when_all_are_unhealthy_all_are_asked(network, wait_for):
    for number in (1, 2):
        network.target(number)
    network.apply(network.group(1, 2))
    network.wait_healthy(1, 2)
    for target in network.targets:
        target.health = 503
    wait_for(lambda: {network.health(n).state for n in (1, 2)} == {"unhealthy"}, "all unhealthy")
    assert {network.ask().body for _ in range(10)} == {"i-1", "i-2"}


def test_the_health_port_may_be_another_one(network):
    network.target(1)
    network.target(1, port=22101).health = 204
    check = HealthCheck("/health", port=22101, matcher="204", interval=5)
    interface = network.interface(1)
    other = type(interface.ports[0])(22101, interface.ports[0].allowed_sources)
    interface = type(interface)("i-1", interface.address, interface.inner_address, (*interface.ports, other))
    network.apply(network.group(1, health_check=check), interfaces=(interface,))
    network.wait_healthy(1)
    assert network.ask().body == "i-1"


def test_what_is_not_checked_is_unused(network):
    assert network.health(1) == TargetHealth(
        "unused", "Target.NotRegistered", "Target is not registered to the target group"
    )
    network.plane.apply(NetworkPlan(target_groups=(network.group(1),)))
    assert network.health(1).reason == "Target.NotInUse"


@pytest.mark.parametrize("draining", [True, False])
def test_a_deregistered_target_drains_then_is_not_registered(network, draining):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    targets = (network.registered(1, draining=True),) if draining else ()
    network.change(target_groups=(network.group(targets=targets),))
    expected = "Target.DeregistrationInProgress" if draining else "Target.NotRegistered"
    assert network.health(1).reason == expected
