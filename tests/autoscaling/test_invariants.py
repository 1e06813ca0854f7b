"""Whatever happens: bounds hold, nobody serves unregistered, nobody ends undrained, and the group comes to rest."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from groundschool.cloud.aws_error import AwsError


@dataclass(frozen=True)
class Event:
    kind: str
    number: int
    wait: float


KINDS = (
    "desired",
    "bounds",
    "kill",
    "fail",
    "recover",
    "terminate",
    "decrement",
    "standby",
    "return",
    "detach",
    "refresh",
    "zones",
    "boot",
    "refuse",
    "alarm",
)
EVENTS = st.lists(
    st.builds(Event, st.sampled_from(KINDS), st.integers(0, 9), st.sampled_from([0.0, 1.0, 7.0, 40.0, 400.0])),
    min_size=1,
    max_size=12,
)
TRACKED = {
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
    "TargetValue": 50.0,
}


# An example runs a tenth of a second to a second; shrinking would take minutes and tells little more.
SOME = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
REPLACEMENT_DIES_TOO = [
    Event("boot", 2, 40.0),
    Event("kill", 0, 7.0),
    Event("kill", 3, 1.0),
    Event("kill", 2, 40.0),
]
ZONE_LEAVES_WHILE_BALANCING = [
    Event("zones", 1, 40.0),
    Event("desired", 4, 40.0),
    Event("zones", 0, 7.0),
    Event("zones", 1, 40.0),
]


def happen(lab, event):
    """One event; what the service refuses, it refuses."""
    with suppress(AwsError):
        _happen(lab, event, event.number)


def _happen(lab, event, n):
    group = lab.service.groups["web"]
    members = sorted(group.members)
    chosen = members[n % len(members)] if members else "i-none"
    name = {"AutoScalingGroupName": "web"}
    if event.kind == "desired":
        lab.call("SetDesiredCapacity", DesiredCapacity=n, **name)
    elif event.kind == "bounds":
        lab.call("UpdateAutoScalingGroup", MinSize=n // 3, MaxSize=n // 3 + n % 5, **name)
    elif event.kind == "kill" and members:
        lab.fleet.terminate(chosen)
    elif event.kind == "fail":
        lab.targets.failing.add(chosen)
    elif event.kind == "recover":
        lab.targets.failing.clear()
    elif event.kind in ("terminate", "decrement"):
        lab.call(
            "TerminateInstanceInAutoScalingGroup",
            InstanceId=chosen,
            ShouldDecrementDesiredCapacity=event.kind == "decrement",
        )
    elif event.kind == "standby":
        lab.call("EnterStandby", InstanceIds=[chosen], ShouldDecrementDesiredCapacity=n % 2 == 0, **name)
    elif event.kind == "return":
        lab.call("ExitStandby", InstanceIds=[chosen], **name)
    elif event.kind == "detach":
        lab.call("DetachInstances", InstanceIds=[chosen], ShouldDecrementDesiredCapacity=n % 2 == 0, **name)
    elif event.kind == "refresh":
        preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110} if n % 2 else {}
        lab.call("StartInstanceRefresh", Preferences={**preferences, "StandbyInstances": "Ignore"}, **name)
    elif event.kind == "zones":
        lab.call("UpdateAutoScalingGroup", VPCZoneIdentifier="subnet-a" if n % 2 else "subnet-a,subnet-b", **name)
    elif event.kind == "boot":
        lab.fleet.boot = n * 10.0
    elif event.kind == "refuse":
        lab.fleet.refusals = [AwsError("InternalError", "no")] * (n % 3)
    elif event.kind == "alarm":
        lab.each_minute = lambda: lab.put_cpu(n * 11.0)


def watch(lab):
    group = lab.service.groups["web"]
    low, high = group.settings.min_size, group.settings.max_size
    assert low <= group.desired_capacity <= high
    ahead = group.balancing + (group.refresh.surge if group.refresh else 0)
    assert len(group.counted) <= group.desired_capacity + ahead <= high + max(1, high // 10)
    if not lab.fleet.refusals and lab.now >= group.backoff.until:
        assert len(group.counted) >= group.desired_capacity
    for member in group.members.values():
        health = lab.targets.health(lab.target_group, member.instance_id)
        if member.state == "InService":
            assert (lab.target_group, member.instance_id) in lab.targets.registered
        if member.ended:
            assert health.state == "unused"


@SOME
@given(events=EVENTS)
@example(events=REPLACEMENT_DIES_TOO)
@example(events=ZONE_LEAVES_WHILE_BALANCING)
def test_a_group_keeps_its_bounds_and_comes_to_rest(lab, events):
    lab = type(lab)()
    lab.create(MinSize=1, MaxSize=8, DesiredCapacity=3, HealthCheckType="ELB", HealthCheckGracePeriod=60)
    lab.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        EstimatedInstanceWarmup=60,
        TargetTrackingConfiguration=TRACKED,
    )
    lab.watch = lambda: watch(lab)
    for event in events:
        happen(lab, event)
        lab.run(event.wait)
    lab.each_minute = lambda: None
    lab.targets.failing.clear()
    lab.run(5_000)
    group = lab.service.groups["web"]
    assert len(group.in_state("InService")) == group.desired_capacity
    assert not group.where(lambda member: member.state not in ("InService", "Standby"))
    assert not [each for each in group.activities if each.ended_at is None]
    assert group.refresh is None
    zones = Counter(member.availability_zone for member in group.in_state("InService"))
    counts = [zones[zone] for zone in group.settings.availability_zones]
    assert max(counts) - min(counts) <= 1


@SOME
@given(events=EVENTS, again=st.integers(1, 3))
def test_a_second_pass_at_the_same_time_changes_nothing(lab, events, again):
    lab = type(lab)()
    lab.create(MinSize=1, MaxSize=8, DesiredCapacity=3)
    for event in events:
        happen(lab, event)
        lab.run(event.wait)
    before = _photo(lab)
    for _ in range(again):
        lab.service.step(lab.now)
    assert _photo(lab) == before


def _photo(lab):
    group = lab.service.groups["web"]
    members = [(each.instance_id, each.state, each.unhealthy, each.ended) for each in group.members.values()]
    return members, group.desired_capacity, len(lab.activities()), len(lab.fleet.launched)
