"""From records to what the data plane shall do: who may connect where, and who gets which request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from groundschool.cloud.ec2.instance import State
from groundschool.cloud.faults.book import Impairment
from groundschool.cloud.load_balancing.network_plan import Seen, hanging_where_open_before, network_plan
from groundschool.cloud.load_balancing.registry import Registration
from groundschool.cloud.network.plan import (
    Algorithm,
    FixedResponse,
    Forward,
    Interface,
    NetworkPlan,
    OpenPort,
    Redirect,
    Rule,
)
from groundschool.cloud.passive.network_records import IngressRule, SecurityGroup
from tests.ec2.made import instance
from tests.load_balancing.made import balancer, forward, listener, rule, target_group

WEB = "arn:tg/web"
BALANCER_ADDRESS = "127.0.2.4"
EVERYBODY = "0.0.0.0/0"


def tcp(first: int, last: int | None = None, **source: Any) -> IngressRule:
    return IngressRule("tcp", first, first if last is None else last, **source)


def seen(
    *rules: IngressRule,
    targets: Sequence[Registration] = (),
    balancers: Sequence[Any] = (),
    group: dict[str, Any] | None = None,
    impairments: dict[str, Impairment] | None = None,
    **given: Any,
) -> Seen:
    """One instance i-1 in sg-1 with these rules, one i-2 in sg-2, and a balancer's group sg-lb."""
    return Seen(
        instances=[
            instance("i-1", **given),
            instance("i-2", address="127.0.11.4", inner_address="127.1.11.4", security_group_ids=("sg-2",)),
        ],
        security_groups={
            "sg-1": SecurityGroup("sg-1", "web", "vpc-1", rules),
            "sg-2": SecurityGroup("sg-2", "other", "vpc-1", ()),
            "sg-lb": SecurityGroup("sg-lb", "balancer", "vpc-1", (tcp(80, cidr=EVERYBODY),)),
            "sg-default": SecurityGroup("sg-default", "default", "vpc-1", (tcp(80, cidr="10.0.0.0/8"),), True),
        },
        balancers=balancers,
        balancer_addresses={each.arn: BALANCER_ADDRESS for each in balancers},
        edge_ports={each.arn: 8080 for made in balancers for each in made.listeners},
        target_groups={WEB: target_group(WEB, **(group or {}))},
        registrations={WEB: targets},
        impairments=impairments or {},
    )


def ports(given: Seen) -> dict[int, tuple[str, ...]]:
    return {each.port: each.allowed_sources for each in network_plan(given).interfaces[0].ports}


ALB = balancer(listener(forward(WEB)))
TARGET = Registration("i-1", 8080)


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        pytest.param(seen(), {}, id="no rule opens nothing"),
        pytest.param(seen(tcp(80, cidr=EVERYBODY)), {80: (EVERYBODY,)}, id="a CIDR"),
        pytest.param(seen(tcp(80, 81, cidr=EVERYBODY)), {80: (EVERYBODY,), 81: (EVERYBODY,)}, id="a few ports"),
        pytest.param(seen(tcp(80, group_id="sg-2")), {80: ("127.0.11.4/32",)}, id="a group: its members"),
        pytest.param(seen(tcp(80, group_id="sg-1")), {80: ("127.0.10.4/32",)}, id="the group itself"),
        pytest.param(seen(tcp(80, group_id="sg-9")), {80: ()}, id="a group without members: nobody"),
        pytest.param(
            seen(tcp(80, group_id="sg-lb"), balancers=[ALB]), {80: (f"{BALANCER_ADDRESS}/32",)}, id="a balancer's group"
        ),
        pytest.param(
            seen(tcp(80, cidr="10.0.0.0/8"), tcp(80, group_id="sg-2")),
            {80: ("10.0.0.0/8", "127.0.11.4/32")},
            id="several sources",
        ),
        pytest.param(
            seen(tcp(80, cidr=EVERYBODY), tcp(22, cidr="10.0.0.0/8")),
            {22: ("10.0.0.0/8",), 80: (EVERYBODY,)},
            id="each port its own sources",
        ),
        pytest.param(seen(IngressRule("udp", 80, 80, cidr=EVERYBODY)), {}, id="another protocol"),
        pytest.param(
            seen(IngressRule("udp", 0, 65535, cidr=EVERYBODY), targets=[TARGET]),
            {8080: ()},
            id="a target that its group does not admit to",
        ),
        pytest.param(seen(tcp(0, 65535, cidr=EVERYBODY)), {}, id="a wide range opens no unused port"),
        pytest.param(
            seen(tcp(0, 65535, cidr=EVERYBODY), targets=[TARGET]),
            {8080: (EVERYBODY,)},
            id="a wide range, used by a target",
        ),
        pytest.param(
            seen(IngressRule("-1", 0, 65535, cidr=EVERYBODY), targets=[TARGET]),
            {8080: (EVERYBODY,)},
            id="all traffic, used by a target",
        ),
        pytest.param(
            seen(tcp(0, 65535, cidr=EVERYBODY), targets=[TARGET], group={"health_check_port": 9000}),
            {8080: (EVERYBODY,), 9000: (EVERYBODY,)},
            id="the port of the health check",
        ),
        pytest.param(
            seen(tcp(80, cidr=EVERYBODY), impairments={"i-1": Impairment(cut_off=True)}), {80: ()}, id="cut off: nobody"
        ),
        pytest.param(
            seen(tcp(80, cidr=EVERYBODY), security_group_ids=("sg-1", "sg-lb")),
            {80: (EVERYBODY,)},
            id="several groups",
        ),
    ],
)
def test_the_ports_of_an_instance_admit(given: Seen, opened: dict[int, tuple[str, ...]]) -> None:
    assert ports(given) == opened


@pytest.mark.parametrize("state", list(State), ids=str)
def test_only_what_exists_has_an_interface(state: State) -> None:
    ids = [each.instance_id for each in network_plan(seen(state=state)).interfaces]
    assert ("i-1" in ids) is (state not in (State.STOPPED, State.TERMINATED))


@pytest.mark.parametrize("state", list(State), ids=str)
def test_targets_get_requests_until_they_have_ended(state: State) -> None:
    [group] = network_plan(seen(targets=[TARGET], state=state)).target_groups
    assert bool(group.targets) is (state in (State.RUNNING, State.SHUTTING_DOWN))


def test_a_draining_target_is_marked() -> None:
    [group] = network_plan(seen(targets=[Registration("i-1", 8080, 400.0), Registration("i-2", 9000)])).target_groups
    assert [(each.address, each.port, each.draining) for each in group.targets] == [
        ("127.0.10.4", 8080, True),
        ("127.0.11.4", 9000, False),
    ]


@pytest.mark.parametrize(
    ("attributes", "field", "expected"),
    [
        pytest.param({}, "algorithm", Algorithm.ROUND_ROBIN, id="round robin by default"),
        pytest.param(
            {"load_balancing.algorithm.type": "least_outstanding_requests"},
            *("algorithm", Algorithm.LEAST_OUTSTANDING_REQUESTS),
            id="least outstanding requests",
        ),
        pytest.param({}, "stickiness_seconds", None, id="not sticky"),
        pytest.param({"stickiness.enabled": "true"}, "stickiness_seconds", 86400.0, id="sticky for a day"),
        pytest.param(
            {"stickiness.enabled": "false", "stickiness.lb_cookie.duration_seconds": "60"},
            *("stickiness_seconds", None),
            id="a duration alone is not sticky",
        ),
        pytest.param({"slow_start.duration_seconds": "30"}, "slow_start", 30.0, id="slow start"),
    ],
)
def test_a_target_groups_attributes(attributes: dict[str, str], field: str, expected: object) -> None:
    [group] = network_plan(seen(group={"attributes": attributes})).target_groups
    assert getattr(group, field) == expected


def test_targets_that_are_no_instances_are_left_out() -> None:
    assert network_plan(seen(group={"target_type": "ip"})).target_groups == ()


@pytest.mark.parametrize(
    ("made", "admitted"),
    [
        pytest.param(ALB, {80: (EVERYBODY,)}, id="its security group"),
        pytest.param(balancer(listener(forward(WEB)), groups=()), {80: ("10.0.0.0/8",)}, id="without one: the default"),
        pytest.param(balancer(listener(forward(WEB), port=81)), {81: ()}, id="a listener its group does not open"),
        pytest.param(balancer(), {}, id="no listener"),
    ],
)
def test_a_balancer_admits(made: Any, admitted: dict[int, tuple[str, ...]]) -> None:
    [plan] = network_plan(seen(balancers=[made])).load_balancers
    assert plan.allowed_sources == admitted


def test_https_without_its_certificate_is_not_served() -> None:
    [plan] = network_plan(seen(balancers=[balancer(listener(forward(WEB), protocol="HTTPS"))])).load_balancers
    assert plan.listeners == ()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(forward(WEB), Forward(((WEB, 1),)), id="forward"),
        pytest.param(forward(WEB, weights=[7]), Forward(((WEB, 7),)), id="weighted"),
        pytest.param(forward(WEB, "arn:gone", weights=[1, 3]), Forward(((WEB, 1),)), id="a deleted group is left out"),
        pytest.param(forward("arn:gone"), Forward(()), id="nobody left"),
        pytest.param(
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}},
            FixedResponse(404, "text/plain", ""),
            id="fixed response",
        ),
        pytest.param(
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": "<p>"},
            },
            FixedResponse(200, "text/html", "<p>"),
            id="fixed response with a body",
        ),
        pytest.param(
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}},
            Redirect(301, protocol="HTTPS", port="443"),
            id="redirect to HTTPS",
        ),
        pytest.param(
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Path": "/new/#{path}", "Query": "a=1"}},
            Redirect(302, path="/new/#{path}", query="a=1"),
            id="redirect to another path",
        ),
    ],
)
def test_an_action_becomes(action: dict[str, Any], expected: object) -> None:
    [plan] = network_plan(seen(balancers=[balancer(listener(action))])).load_balancers
    assert plan.listeners[0].default_action == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(rule(forward(WEB), path=["/a", "/b*"]), Rule(Forward(((WEB, 1),)), ("/a", "/b*")), id="paths"),
        pytest.param(
            rule(forward(WEB), host=["*.example.org"]), Rule(Forward(((WEB, 1),)), (), ("*.example.org",)), id="hosts"
        ),
        pytest.param(
            rule(forward(WEB), path=["/a"], host=["b"]), Rule(Forward(((WEB, 1),)), ("/a",), ("b",)), id="both"
        ),
    ],
)
def test_a_rule_matches(made: Any, expected: Rule) -> None:
    [plan] = network_plan(seen(balancers=[balancer(listener(forward(WEB), made))])).load_balancers
    assert plan.listeners[0].rules == (expected,)


def interface(*opened: OpenPort, instance_id: str = "i-1") -> NetworkPlan:
    return NetworkPlan((Interface(instance_id, "127.0.10.4", "127.1.10.4", opened),))


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        pytest.param(interface(), None, (), id="the first plan"),
        pytest.param(
            interface(), interface(OpenPort(80, (EVERYBODY,))), (OpenPort(80, ()),), id="a revoked rule hangs"
        ),
        pytest.param(interface(), interface(OpenPort(80, ())), (OpenPort(80, ()),), id="and goes on hanging"),
        pytest.param(
            interface(OpenPort(80, ("10.0.0.0/8",))),
            interface(OpenPort(80, (EVERYBODY,))),
            (OpenPort(80, ("10.0.0.0/8",)),),
            id="a changed rule",
        ),
        pytest.param(interface(), interface(OpenPort(80, ()), instance_id="i-2"), (), id="another instance's ports"),
    ],
)
def test_a_port_that_was_open_before(now: NetworkPlan, before: NetworkPlan | None, shown: tuple[OpenPort, ...]) -> None:
    assert hanging_where_open_before(now, before).interfaces[0].ports == shown
