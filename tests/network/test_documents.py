"""From a plan to Envoy's configuration, without Envoy."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from groundschool.cloud.network.envoy.clusters import Reserve, clusters, endpoints, matcher_ranges
from groundschool.cloud.network.envoy.documents import xds_files
from groundschool.cloud.network.envoy.durations import duration, real_period, real_timeout
from groundschool.cloud.network.envoy.listeners import listeners
from groundschool.cloud.network.envoy.target_health import TargetKey
from groundschool.cloud.network.plan import (
    Forward,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancer,
    NetworkPlan,
    OpenPort,
    Target,
    TargetGroup,
)

GROUP = TargetGroup(
    "arn:aws:elasticloadbalancing:eu-north-1:123456789012:targetgroup/web/1",
    "web",
    HealthCheck(interval=30, timeout=5),
    (Target("i-1", "127.0.10.1", 80), Target("i-2", "127.0.10.2", 80, draining=True)),
    slow_start=60,
)
LISTENER = Listener("arn:aws:x:y:z:listener/app/lb/1/2", 80, 22080, Forward(((GROUP.arn, 1),)))
BALANCER = LoadBalancer("arn:lb", "lb", "127.0.10.200", "lb.localhost", {80: ("0.0.0.0/0",)}, (LISTENER,))
INTERFACE = Interface("i-1", "127.0.10.1", "127.1.10.1", (OpenPort(80, ("127.0.10.200/32", "10.0.0.0/8")),))
PLAN = NetworkPlan((INTERFACE,), (BALANCER,), (GROUP,))


@pytest.mark.parametrize(
    ("seconds", "speed", "real"),
    [
        pytest.param(30, 1, 30, id="AWS's timing at speed 1"),
        pytest.param(5, 10, 5, id="work does not get faster with the clock"),
        pytest.param(60, 100, 60, id="at any speed"),
        pytest.param(5, 0.5, 10, id="stretched in a slow lab"),
    ],
)
def test_timeouts_keep_time_for_real_work(seconds, speed, real):
    assert real_timeout(seconds, speed) == real


def test_periods_are_divided_by_the_speed():
    assert real_period(30, 10) == 3
    assert duration(real_period(30, 100_000)) == "0.001s"


def test_a_health_check_is_a_period_with_a_timeout():
    check = clusters(PLAN, 10)[0]["health_checks"][0]
    assert (check["interval"], check["no_traffic_interval"], check["timeout"]) == ("3.000s", "3.000s", "5.000s")


def test_slow_start_is_a_period():
    policy = clusters(PLAN, 10)[0]["load_balancing_policy"]["policies"][0]["typed_extension_config"]["typed_config"]
    assert policy["slow_start_config"]["slow_start_window"] == "6.000s"


@pytest.mark.parametrize(
    ("matcher", "ranges"),
    [("200", [(200, 200)]), ("200,302", [(200, 200), (302, 302)]), ("200-299", [(200, 299)])],
)
def test_a_matcher_is_codes_or_a_range(matcher, ranges):
    assert matcher_ranges(matcher) == ranges


def test_a_draining_target_is_no_endpoint():
    found = endpoints(GROUP, Reserve())["endpoints"][0]["lb_endpoints"]
    assert [endpoint["endpoint"]["address"]["socket_address"]["address"] for endpoint in found] == ["127.0.10.1"]


def test_a_target_whose_interface_arrives_is_no_endpoint_yet():
    found = endpoints(GROUP, Reserve(arriving=frozenset({"127.0.10.1"})))
    assert found["endpoints"][0]["lb_endpoints"] == []


@pytest.mark.parametrize(("held", "status"), [((), "UNKNOWN"), ((TargetKey(GROUP.arn, "i-1", 80),), "UNHEALTHY")])
def test_a_target_held_back_is_marked_unhealthy(held, status):
    assert (
        endpoints(GROUP, Reserve(held_back=frozenset(held)))["endpoints"][0]["lb_endpoints"][0]["health_status"]
        == status
    )


def test_a_target_group_without_a_balancer_has_no_cluster():
    names = [cluster["name"] for cluster in clusters(replace(PLAN, load_balancers=()), 1)]
    assert names == ["interface/i-1/80"]


def test_connections_to_targets_come_from_the_balancers_address():
    source = clusters(PLAN, 1)[0]["upstream_bind_config"]["source_address"]
    assert source["address"] == "127.0.10.200"


def test_every_allowed_source_has_its_own_chain():
    interface = listeners(PLAN, 1)[0]
    assert [chain["name"] for chain in interface["filter_chains"]] == ["from 127.0.10.200/32", "from 10.0.0.0/8"]
    assert interface["default_filter_chain"]["name"] == "everybody else"


def test_a_port_the_balancers_groups_do_not_name_admits_nobody():
    edge = listeners(replace(PLAN, load_balancers=(replace(BALANCER, allowed_sources={}),)), 1)[1]
    assert edge["filter_chains"] == []


def test_what_is_referred_to_is_written_first():
    names = [name.split("/")[1] for name in xds_files(PLAN, 1, Reserve(), ())]
    assert names == ["eds", "cds", "rds", "lds"]


def test_a_blocked_listener_is_left_out():
    files = xds_files(PLAN, 1, Reserve(), {"edge/22080"})
    names = [listener["name"] for listener in orjson.loads(files["xds/lds/listeners.json"])["resources"]]
    assert names == ["interface/i-1/80"]
