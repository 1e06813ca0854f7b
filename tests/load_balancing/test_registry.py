"""Which targets a group has, and what is said of each: the registry over records as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.load_balancing.registry import TargetRegistry, load_balancers_by_target_group
from groundschool.cloud.network.data_plane import HealthState, TargetHealth
from groundschool.cloud.passive.balancer_records import LoadBalancerRecord, TargetGroupRecord
from tests.ec2.made import instance
from tests.load_balancing.made import balancer, forward, listener, rule, target_group

WEB, IDLE = "arn:tg/web", "arn:tg/idle"
HEALTHY = TargetHealth(HealthState.HEALTHY)


@dataclass
class Records:
    balancers: list[LoadBalancerRecord] = field(default_factory=lambda: [balancer(listener(forward(WEB)))])
    groups: dict[str, TargetGroupRecord] = field(
        default_factory=lambda: {arn: target_group(arn) for arn in (WEB, IDLE)}
    )

    def load_balancers(self) -> list[LoadBalancerRecord]:
        return self.balancers

    def target_groups(self) -> dict[str, TargetGroupRecord]:
        return self.groups

    def target_group(self, arn: str) -> TargetGroupRecord | None:
        return self.groups.get(arn)


class Region:
    """A registry with instances, a clock and a data plane that finds everybody healthy."""

    def __init__(self, **attributes: str) -> None:
        self.records = Records()
        self.records.groups[WEB] = target_group(WEB, attributes=attributes)
        self.instances = {f"i-{n}": instance(f"i-{n}") for n in (1, 2)}
        self.now = 1000.0
        self.registry = TargetRegistry(self.records, self, self, lambda: self.now)  # type: ignore[arg-type]

    def find(self, instance_id: str) -> Instance | None:
        return self.instances.get(instance_id)

    def health(self, arn: str, instance_id: str, port: int) -> TargetHealth:
        return HEALTHY

    def step(self, seconds: float) -> None:
        self.now += seconds
        self.registry.step(self.now)

    def said(self, instance_id: str = "i-1", arn: str = WEB, port: int | None = None) -> tuple[str, str | None]:
        health = self.registry.health(arn, instance_id, port)
        return str(health.state), health.reason


@pytest.fixture
def region() -> Region:
    return Region()


def test_a_target_has_the_groups_port_unless_it_brings_its_own(region: Region) -> None:
    region.registry.register(WEB, "i-1")
    region.registry.register(WEB, "i-2", 9000)
    assert [(each.instance_id, each.port) for each in region.registry.registrations(WEB)] == [
        ("i-1", 8080),
        ("i-2", 9000),
    ]


def test_one_instance_on_two_ports_is_two_targets(region: Region) -> None:
    region.registry.register(WEB, "i-1", 8080)
    region.registry.register(WEB, "i-1", 9000)
    region.registry.register(WEB, "i-1", 9000)
    region.registry.deregister(WEB, "i-1", 9000)
    assert [region.said(port=port) for port in (8080, 9000)] == [
        ("healthy", None),
        ("draining", "Target.DeregistrationInProgress"),
    ]


@pytest.mark.parametrize(
    ("arn", "instance_id", "state", "code"),
    [
        pytest.param("arn:tg/none", "i-1", State.RUNNING, "TargetGroupNotFound", id="no such group"),
        pytest.param(WEB, "i-9", State.RUNNING, "InvalidTarget", id="no such instance"),
        *(pytest.param(WEB, "i-1", state, "InvalidTarget", id=str(state)) for state in State if state != "running"),
    ],
)
def test_what_cannot_be_a_target_is_refused(
    region: Region, arn: str, instance_id: str, state: State, code: str
) -> None:
    region.instances["i-1"].state = state
    with pytest.raises(AwsError) as refused:
        region.registry.register(arn, instance_id)
    assert refused.value.code == code
    assert region.registry.registrations(WEB) == []


@pytest.mark.parametrize(
    ("state", "arn", "said"),
    [
        pytest.param(State.RUNNING, WEB, ("healthy", None), id="what the data plane finds"),
        pytest.param(State.RUNNING, IDLE, ("unused", "Target.NotInUse"), id="a group without a balancer"),
        pytest.param(State.STOPPING, WEB, ("unused", "Target.InvalidState"), id="stopping"),
        pytest.param(State.STOPPED, WEB, ("unused", "Target.InvalidState"), id="stopped"),
        pytest.param(State.STOPPED, IDLE, ("unused", "Target.InvalidState"), id="stopped, and without a balancer"),
    ],
)
def test_a_registered_target_is(region: Region, state: State, arn: str, said: tuple[str, str | None]) -> None:
    region.registry.register(arn, "i-1")
    region.instances["i-1"].state = state
    assert region.said(arn=arn) == said


def test_who_was_never_registered_is_unused(region: Region) -> None:
    assert region.said("i-2") == ("unused", "Target.NotRegistered")


@pytest.mark.parametrize(
    ("attributes", "after", "said"),
    [
        pytest.param({}, 299.0, "draining", id="drains 300 s by default"),
        pytest.param({}, 300.0, "unused", id="and then is gone"),
        pytest.param({"deregistration_delay.timeout_seconds": "60"}, 59.0, "draining", id="as long as the group says"),
        pytest.param({"deregistration_delay.timeout_seconds": "60"}, 60.0, "unused", id="and no longer"),
        pytest.param({"deregistration_delay.timeout_seconds": "0"}, 0.0, "unused", id="not at all"),
    ],
)
def test_a_deregistered_target(attributes: Mapping[str, str], after: float, said: str) -> None:
    region = Region(**attributes)
    region.registry.register(WEB, "i-1")
    region.registry.deregister(WEB, "i-1")
    region.step(after)
    assert region.said()[0] == said


def test_deregistering_twice_does_not_drain_longer(region: Region) -> None:
    region.registry.register(WEB, "i-1")
    region.registry.deregister(WEB, "i-1")
    region.step(200)
    region.registry.deregister(WEB, "i-1")
    region.step(100)
    assert region.registry.registrations(WEB) == []


def test_a_draining_target_registered_again_serves_again(region: Region) -> None:
    region.registry.register(WEB, "i-1")
    region.registry.deregister(WEB, "i-1")
    region.registry.register(WEB, "i-1")
    region.step(1000)
    assert region.said() == ("healthy", None)


def test_without_a_balancer_nothing_is_in_flight_and_nothing_drains(region: Region) -> None:
    region.registry.register(IDLE, "i-1")
    region.registry.deregister(IDLE, "i-1")
    assert region.registry.registrations(IDLE) == []


def test_deregistering_what_is_no_target_is_fine(region: Region) -> None:
    region.registry.deregister(WEB, "i-2")
    assert region.registry.registrations(WEB) == []


def test_a_terminated_instance_is_no_target_of_any_group(region: Region) -> None:
    region.registry.register(WEB, "i-1")
    region.registry.register(IDLE, "i-1")
    region.registry.register(WEB, "i-2")
    region.registry.forget_instance("i-1")
    assert [each.instance_id for arn in (WEB, IDLE) for each in region.registry.registrations(arn)] == ["i-2"]


def test_a_deleted_group_takes_its_targets_with_it(region: Region) -> None:
    region.registry.register(WEB, "i-1")
    group = region.records.groups.pop(WEB)
    region.step(0)
    region.records.groups[WEB] = group
    assert region.registry.registrations(WEB) == []


@pytest.mark.parametrize(
    ("made", "used"),
    [
        pytest.param([], {}, id="no balancer"),
        pytest.param([balancer()], {}, id="no listener"),
        pytest.param([balancer(listener(forward("a")))], {"a": ("arn:lb",)}, id="a default action"),
        pytest.param(
            [balancer(listener(forward("a"), rule(forward("b"), path=["/b"])))],
            {"a": ("arn:lb",), "b": ("arn:lb",)},
            id="a rule",
        ),
        pytest.param(
            [balancer(listener(forward("a", "b")))], {"a": ("arn:lb",), "b": ("arn:lb",)}, id="weighted groups"
        ),
        pytest.param(
            [balancer(listener(forward("a")), arn="arn:1"), balancer(listener(forward("a")), arn="arn:2")],
            {"a": ("arn:1", "arn:2")},
            id="two balancers",
        ),
        pytest.param([balancer(listener({"Type": "fixed-response"}))], {}, id="a fixed response"),
    ],
)
def test_a_group_is_used_by(made: list[Any], used: dict[str, tuple[str, ...]]) -> None:
    assert load_balancers_by_target_group(Records(made)) == used  # type: ignore[arg-type]
