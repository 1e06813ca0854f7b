"""Where instances are launched, which ones end, which ones are replaced, and which ones warm up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from groundschool.controlloop.instance import GroupInstance, Lifecycle
from groundschool.controlloop.placement import RebalanceReason, rebalance, zone_to_launch_in
from groundschool.controlloop.replace_unhealthy import HealthChecks, HealthReason, replacements
from groundschool.controlloop.termination import TerminationPolicy, TerminationReason, choose_instance
from groundschool.controlloop.warm_up import is_warming, warm_up_left, warm_up_time, warming

ZONES = ("a", "b")


def group(zones: str, **fields) -> list[GroupInstance]:
    """One instance per letter, i-0, i-1, ... in the zone of that letter."""
    return [GroupInstance(f"i-{n}", zone, in_service_since=0.0, **fields) for n, zone in enumerate(zones)]


@pytest.mark.parametrize(("present", "zone"), [("", "a"), ("a", "b"), ("aab", "b"), ("ab", "a"), ("abb", "a")])
def test_an_instance_is_launched_in_the_zone_with_fewest(present, zone):
    assert zone_to_launch_in(ZONES, group(present)) == zone


def test_several_launches_spread_over_the_zones():
    present, chosen = "aab", ""
    for _ in range(4):
        chosen += zone_to_launch_in(("a", "b", "c"), group(present + chosen))
    assert chosen == "cbca"


def test_a_terminating_instance_no_longer_counts_for_its_zone():
    leaving = replace(group("aab")[0], lifecycle=Lifecycle.TERMINATING)
    assert zone_to_launch_in(ZONES, [leaving, *group("aab")[1:]]) == "a"


@pytest.mark.parametrize(
    ("present", "desired", "maximum", "reason", "launch_in", "terminate_in"),
    [
        ("aab", 3, 3, RebalanceReason.BALANCED, None, None),
        ("aaab", 4, 4, RebalanceReason.LAUNCH_FIRST, "b", None),
        ("aaabb", 4, 4, RebalanceReason.TERMINATE_SURPLUS, None, "a"),
    ],
)
def test_rebalancing_launches_before_it_terminates(present, desired, maximum, reason, launch_in, terminate_in):
    step = rebalance(ZONES, group(present), desired, maximum)
    assert (step.reason, step.launch_in, step.terminate_in) == (reason, launch_in, terminate_in)


def test_rebalancing_terminates_only_when_the_launched_instance_is_in_service():
    new = GroupInstance("i-new", "b", Lifecycle.PENDING)
    assert rebalance(ZONES, [*group("aaab"), new], 4, 4).reason is RebalanceReason.WAIT_FOR_LAUNCH


def test_rebalancing_ends_balanced():
    present = group("aaaa")
    for _ in range(20):
        step = rebalance(ZONES, present, 4, 4)
        assert len(present) in (4, 5)
        if step.launch_in:
            present.append(GroupInstance(f"i-{len(present)}-{step.launch_in}", step.launch_in))
        elif step.terminate_in:
            present.remove(next(i for i in present if i.availability_zone == step.terminate_in))
    assert sorted(i.availability_zone for i in present) == ["a", "a", "b", "b"]


def last(equals):
    return equals[-1]


def test_a_scale_in_takes_an_instance_of_the_zone_with_most():
    assert choose_instance(group("abb"), last, now=0).instance_id in ("i-1", "i-2")


def test_the_oldest_launch_template_goes_first():
    old, new = group("aa")
    decision = choose_instance([replace(new, template_created_at=9), old], last, now=0)
    assert (decision.instance_id, decision.reason) == ("i-0", TerminationReason.LAUNCH_TEMPLATE)


def test_then_the_instance_closest_to_its_billing_hour():
    first, second = group("aa")
    decision = choose_instance([first, replace(second, launched_at=600)], last, now=3500)
    assert (decision.instance_id, decision.reason) == ("i-0", TerminationReason.BILLING_HOUR)


def test_among_equals_chance_decides():
    decision = choose_instance(group("aaa"), last, now=0)
    assert (decision.instance_id, decision.reason) == ("i-2", TerminationReason.CHANCE)


def test_a_protected_instance_is_never_taken():
    protected, free = group("ab")
    one_free = [replace(protected, protected=True), free]
    assert choose_instance(one_free, last, now=0).instance_id == "i-1"
    all_protected = [replace(i, protected=True) for i in one_free]
    assert choose_instance(all_protected, last, now=0).reason is TerminationReason.ALL_PROTECTED


def test_protected_instances_count_for_the_size_of_their_zone():
    present = [*group("aa", protected=True), GroupInstance("i-free", "a"), *group("bb")]
    assert choose_instance(present, last, now=0).instance_id == "i-free"


def test_a_zone_full_of_protected_instances_is_passed_over():
    present = [*group("aaa", protected=True), GroupInstance("i-free", "b")]
    assert choose_instance(present, last, now=0).instance_id == "i-free"


@pytest.mark.parametrize(
    ("policy", "taken"),
    [(TerminationPolicy.OLDEST_INSTANCE, "i-0"), (TerminationPolicy.NEWEST_INSTANCE, "i-2")],
)
def test_other_termination_policies(policy, taken):
    aged = [replace(instance, launched_at=n) for n, instance in enumerate(group("aaa"))]
    assert choose_instance(aged, last, now=10, policies=[policy]).instance_id == taken


ELB = HealthChecks(elb=True, grace_period=300)


@pytest.mark.parametrize(
    ("fields", "checks", "now", "reason", "replaced"),
    [
        ({}, ELB, 100, None, False),
        ({"ec2_state": "stopped"}, ELB, 1, HealthReason.EC2_NOT_RUNNING, True),
        ({"ec2_state": "terminated", "lifecycle": Lifecycle.PENDING}, ELB, 1, HealthReason.EC2_NOT_RUNNING, True),
        ({"elb_unhealthy": True}, ELB, 299, HealthReason.IN_GRACE_PERIOD, False),
        ({"elb_unhealthy": True}, ELB, 300, HealthReason.ELB_UNHEALTHY, True),
        ({"elb_unhealthy": True}, HealthChecks(), 900, None, False),
        ({"elb_unhealthy": True, "lifecycle": Lifecycle.PENDING}, ELB, 900, None, False),
        ({"elb_unhealthy": True, "lifecycle": Lifecycle.STANDBY}, ELB, 900, None, False),
        ({"reported_unhealthy": True}, ELB, 1, HealthReason.REPORTED_UNHEALTHY, True),
    ],
    ids=[
        "healthy",
        "stopped, in the grace period",
        "ended while pending",
        "load balancer, in the grace period",
        "load balancer, after the grace period",
        "load balancer checks off",
        "not yet in service",
        "in standby",
        "reported by hand",
    ],
)
def test_an_instance_is_replaced_when_it_is_unhealthy(fields, checks, now, reason, replaced):
    verdicts = replacements(group("a", **fields), 1, checks, now)
    assert [(v.reason, v.replace) for v in verdicts] == ([] if reason is None else [(reason, replaced)])


def test_a_verdict_in_the_grace_period_says_when_to_look_again():
    assert replacements(group("a", elb_unhealthy=True), 1, ELB, 250)[0].look_again_in == 50


@pytest.mark.parametrize(
    ("size", "in_progress", "replaced"),
    [(4, 0, 1), (4, 1, 0), (19, 0, 1), (20, 0, 2), (20, 1, 1), (30, 0, 3)],
)
def test_at_most_a_tenth_is_replaced_at_a_time(size, in_progress, replaced):
    verdicts = replacements(group("a" * size, elb_unhealthy=True), size, ELB, 900, in_progress)
    assert sum(v.replace for v in verdicts) == replaced
    assert {v.reason for v in verdicts if not v.replace} <= {HealthReason.THROTTLED}


def test_what_is_not_running_is_replaced_before_what_is_unhealthy():
    slow, gone = group("ab", elb_unhealthy=True)
    verdicts = replacements([slow, replace(gone, ec2_state="terminated")], 2, ELB, 900)
    assert [(v.instance_id, v.replace) for v in verdicts] == [("i-1", True), ("i-0", False)]


@pytest.mark.parametrize(
    ("given", "seconds"), [((60, 120, 30), 60), ((None, 120, 30), 120), ((None, None, 30), 30), ((0, 120, 30), 0)]
)
def test_the_warm_up_is_the_policys_then_the_groups_then_the_cooldown(given, seconds):
    assert warm_up_time(*given) == seconds


def test_an_instance_warms_up_from_in_service():
    pending = GroupInstance("i-1", "a", Lifecycle.PENDING)
    serving = GroupInstance("i-2", "a", Lifecycle.IN_SERVICE, in_service_since=100)
    assert warming([pending, serving], 60, now=159) == ("i-1", "i-2")
    assert warming([pending, serving], 60, now=160) == ("i-1",)
    assert warm_up_left(serving, 60, now=110) == 50


def test_an_instance_that_leaves_does_not_warm_up():
    assert not is_warming(GroupInstance("i-1", "a", Lifecycle.TERMINATING, in_service_since=100), 60, now=110)
