from __future__ import annotations

import pytest

from groundschool.cloud.monitoring.metric_store import MetricData, MetricStore
from groundschool.cloud.monitoring.publish import (
    InstanceUse,
    TargetGroupHosts,
    group_metrics,
    instance_metrics,
    is_due,
    load_balancer_metrics,
    suffix,
)
from groundschool.cloud.network.data_plane import RequestRecord, Traffic

ELB = "arn:aws:elasticloadbalancing:eu-north-1:123456789012"
BALANCER = f"{ELB}:loadbalancer/app/web/0123456789abcdef"
TARGETS = f"{ELB}:targetgroup/board/fedcba9876543210"
ZONES = {"i-a": "eu-north-1a", "i-b": "eu-north-1b"}
IN_BALANCER = {"LoadBalancer": "app/web/0123456789abcdef"}
IN_GROUP = {**IN_BALANCER, "TargetGroup": "targetgroup/board/fedcba9876543210"}


def request(status: int = 200, instance: str | None = "i-a", from_target: bool = True, seconds: float = 0.1, **more):
    fields = {"target_group": TARGETS, "received_bytes": 100, "sent_bytes": 900, **more}
    return RequestRecord(
        0.0, BALANCER, instance_id=instance, status=status, from_target=from_target, seconds=seconds, **fields
    )


def hosts(healthy: int = 2, unhealthy: int = 0) -> TargetGroupHosts:
    return TargetGroupHosts(TARGETS, (BALANCER,), {"eu-north-1a": healthy}, {"eu-north-1a": unhealthy})


def read(data: list[MetricData], name: str, statistic: str, dimensions: dict[str, str]) -> float | None:
    """What CloudWatch answers once ``data`` are put."""
    store = MetricStore()
    store.put(data)
    for key in store.all():
        if key.name == name and dict(key.dimensions) == dimensions:
            return store.query(key, statistic, 60, 0, 60)[0].value
    return None


def test_cpu_is_published_by_instance_and_by_group():
    data = instance_metrics(
        [InstanceUse("i-a", [80], "asg"), InstanceUse("i-b", [20], "asg"), InstanceUse("i-c", [5])], 0
    )
    assert read(data, "CPUUtilization", "Average", {"InstanceId": "i-a"}) == 80
    assert read(data, "CPUUtilization", "Average", {"AutoScalingGroupName": "asg"}) == 50
    assert read(data, "CPUUtilization", "Maximum", {"AutoScalingGroupName": "asg"}) == 80
    assert {datum.unit for datum in data} == {"Percent"}


def test_network_bytes_are_published_by_instance_and_by_group_as_the_sum_of_the_period():
    minutes = [Traffic(100, 1000), Traffic(300, 3000)]
    data = instance_metrics(
        [InstanceUse("i-a", [], "asg", traffic=minutes), InstanceUse("i-b", [], "asg", traffic=minutes[:1])], 0
    )
    assert read(data, "NetworkIn", "Sum", {"InstanceId": "i-a"}) == 400
    assert read(data, "NetworkOut", "Sum", {"InstanceId": "i-a"}) == 4000
    assert read(data, "NetworkOut", "Average", {"AutoScalingGroupName": "asg"}) == 2500
    assert {datum.unit for datum in data} == {"Bytes"}


def test_a_warming_instance_is_left_out_of_the_groups_metric():
    data = instance_metrics([InstanceUse("i-a", [80], "asg"), InstanceUse("i-b", [0], "asg", warming=True)], 0)
    assert read(data, "CPUUtilization", "Average", {"AutoScalingGroupName": "asg"}) == 80
    assert read(data, "CPUUtilization", "Average", {"InstanceId": "i-b"}) == 0


def test_a_group_that_only_warms_up_has_no_metric():
    assert len(instance_metrics([InstanceUse("i-b", [0], "asg", warming=True)], 0)) == 1


def test_basic_monitoring_averages_five_minutes():
    data = instance_metrics([InstanceUse("i-a", [0, 0, 100, 100, 100])], 0)
    assert read(data, "CPUUtilization", "Average", {"InstanceId": "i-a"}) == 60


def test_basic_monitoring_publishes_every_fifth_minute_after_the_launch():
    assert [minute for minute in range(7, 20) if is_due(False, minute, launched_minute=7)] == [11, 16]
    assert all(is_due(True, minute, 7) for minute in range(7, 20))


def test_requests_are_counted_by_load_balancer_target_group_and_zone():
    data = load_balancer_metrics([request(), request(), request(instance="i-b")], [hosts()], ZONES, 0)
    zone = {"AvailabilityZone": "eu-north-1a"}
    counted = [
        read(data, "RequestCount", "Sum", place)
        for place in (IN_BALANCER, IN_GROUP, {**zone, **IN_BALANCER}, {**zone, **IN_GROUP})
    ]
    assert counted == [3, 3, 2, 2]


def test_response_times_have_percentiles():
    data = load_balancer_metrics([request(seconds=n / 100) for n in range(1, 101)], [hosts()], ZONES, 0)
    assert read(data, "TargetResponseTime", "p99", IN_BALANCER) == pytest.approx(0.99)
    assert read(data, "TargetResponseTime", "Average", IN_GROUP) == pytest.approx(0.505)


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (request(200), {"HTTPCode_Target_2XX_Count", "RequestCount"}),
        (request(404), {"HTTPCode_Target_4XX_Count", "RequestCount"}),
        (request(502), {"HTTPCode_Target_5XX_Count", "RequestCount"}),
        (request(502, from_target=False), {"HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_502_Count", "RequestCount"}),
        (request(503, instance=None, from_target=False), {"HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_503_Count"}),
        (request(460, from_target=False), {"HTTPCode_ELB_4XX_Count", "RequestCount"}),
        (request(301, instance=None, from_target=False, target_group=None), {"HTTPCode_ELB_3XX_Count"}),
        (request(503, instance=None, from_target=False, rule_action="fixed-response"), {"HTTP_Fixed_Response_Count"}),
        (
            request(301, instance=None, from_target=False, rule_action="redirect"),
            {"HTTP_Redirect_Count", "HTTPCode_ELB_3XX_Count"},
        ),
        (request(200, instance=None, from_target=False, target_group=None), set()),
    ],
    ids="ok,not found,502 of the target,502,503 without targets,460,301,fixed response,redirect,200".split(","),
)
def test_a_status_is_counted_for_whoever_made_it(record, counted):
    data = load_balancer_metrics([record], [], ZONES, 0)
    names = {datum.key.name for datum in data if dict(datum.key.dimensions) == IN_BALANCER}
    assert names - {"ProcessedBytes", "TargetResponseTime"} == counted
    assert ("TargetResponseTime" in names) is record.from_target


def test_bytes_are_counted_for_the_load_balancer():
    assert read(load_balancer_metrics([request()], [], ZONES, 0), "ProcessedBytes", "Sum", IN_BALANCER) == 1000


@pytest.mark.parametrize(
    ("requests", "group", "per_target"),
    [
        (6, hosts(healthy=2), 3),
        (6, hosts(healthy=2, unhealthy=1), 3),
        (6, hosts(0, 3), 2),
        (0, hosts(), 0),
        (6, hosts(0, 0), None),
    ],
    ids=["two healthy", "unhealthy do not count", "fail-open: all count", "zeros are real", "no targets"],
)
def test_requests_per_target(requests, group, per_target):
    data = load_balancer_metrics([request()] * requests, [group], ZONES, 0)
    assert read(data, "RequestCountPerTarget", "Sum", IN_GROUP) == per_target
    assert read(data, "RequestCountPerTarget", "Sum", {"TargetGroup": IN_GROUP["TargetGroup"]}) == per_target


def test_hosts_are_counted_without_requests():
    data = load_balancer_metrics([], [hosts(2, 1)], ZONES, 0)
    assert read(data, "HealthyHostCount", "Maximum", IN_GROUP) == 2
    assert read(data, "UnHealthyHostCount", "Maximum", {**IN_GROUP, "AvailabilityZone": "eu-north-1a"}) == 1
    assert read(data, "RequestCount", "Sum", IN_BALANCER) is None


def test_group_metrics_are_published_by_group():
    data = group_metrics({"asg": {"GroupDesiredCapacity": 4}}, 0)
    assert read(data, "GroupDesiredCapacity", "Average", {"AutoScalingGroupName": "asg"}) == 4


def test_dimensions_carry_the_suffix_of_the_arn():
    assert (suffix(BALANCER), suffix(TARGETS)) == (IN_BALANCER["LoadBalancer"], IN_GROUP["TargetGroup"])
