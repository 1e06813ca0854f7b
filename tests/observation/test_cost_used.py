"""The bill of what existed and what it did: AWS's minimums, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundschool.workshop.cost_found import Balancer, Disk, Found, InstanceRun, Snapshot, Table
from groundschool.workshop.cost_traffic import BalancerHour, Traffic, Window, by_hour, period_for
from groundschool.workshop.cost_used import billed_seconds, hourly, used

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BASELINES = {"t3.micro": 0.1}


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run(name: str, launched: float, ended: float | None = None, **more: Any) -> InstanceRun:
    """Minutes after noon."""
    end = None if ended is None else after(ended)
    made = InstanceRun(f"i-{name}", "t3.micro", after(launched), end, Disk(8, "gp3"), end, public=True, monitored=True)
    return replace(made, **more)


def quantities(found: Found, traffic: Traffic, window: Window) -> dict[str, float | None]:
    return {use.price: use.quantity for use in used(found, traffic, window, BASELINES)}


TWO_HOURS = Window(NOON, after(120))
WEB = Balancer("web", "arn:aws:elasticloadbalancing:eu-north-1:1:loadbalancer/app/web/1", after(30), addresses=2)


@pytest.mark.parametrize(
    ("launched", "ended", "seconds"),
    [
        pytest.param(0, 90, 5400, id="to the second"),
        pytest.param(0, 0.5, 60, id="at least a minute"),
        pytest.param(119.5, None, 60, id="a minute too, for one that has just begun"),
        pytest.param(60, None, 3600, id="until now"),
        pytest.param(-600, 30, 1800, id="only what is in the window"),
        pytest.param(-600, 0.25, 15, id="no minimum for one launched before it"),
        pytest.param(-600, -10, 0, id="gone before it"),
    ],
)
def test_an_instance_is_billed_per_second_and_at_least_for_a_minute(
    launched: float, ended: float | None, seconds: float
) -> None:
    end = None if ended is None else after(ended)
    assert billed_seconds(after(launched), end, TWO_HOURS) == pytest.approx(seconds)


def test_in_the_lab_a_minute_at_speed_20_is_billed_as_twenty() -> None:
    assert billed_seconds(NOON, after(1), Window(NOON, after(6), speed=20)) == 1200


def test_what_a_scaling_cost() -> None:
    """One instance for two hours, a second one from 0:30 to 1:15, a balancer since 0:30."""
    found = Found(after(120), (run("a", 0), run("b", 30, 75)), (WEB,))
    bill = quantities(found, Traffic(cpu={"i-a": 30, "i-b": 5}), TWO_HOURS)
    assert bill == pytest.approx(
        {
            "instance_hour/t3.micro": 2.75,
            "surplus_vcpu_hour": 0.8,  # a: 30 % of 2 vCPUs for 2 h less 2 x 10 % earned; b earned more than it used
            "gp3_gb_month": 8 * 2.75 / 730,
            "public_ipv4_hour": 2.75 + 2 * 1.5,
            "metric_month": 7 * (2 + 1) / 730,  # by the started hour
            "load_balancer_hour": 2,  # an hour and a half are two
            "lcu_hour": 0,
            "transfer_out_gb": 0,
        }
    )


def test_capacity_units_are_sized_hour_by_hour() -> None:
    busy = BalancerHour(new_connections=90_000, processed_bytes=3e9)  # 3 LCU by bytes
    idle = BalancerHour(new_connections=9_000, processed_bytes=1e6)  # 0.1 LCU by connections
    bill = quantities(Found(after(120), balancers=(WEB,)), Traffic(hours=(busy, idle)), TWO_HOURS)
    assert bill["lcu_hour"] == pytest.approx(3.1)
    assert bill["transfer_out_gb"] == pytest.approx(3.001)


def test_a_table_an_image_and_alarms_are_billed_while_they_stand() -> None:
    table = Table("messages", after(-600), bytes=730_000_000, on_demand=True, indexes=())
    snapshot = Snapshot("snap-1", "ami-1", after(60), gb=8)
    found = Found(after(120), tables=(table,), alarms=(("high", NOON), ("low", after(90))), snapshots=(snapshot,))
    assert quantities(found, Traffic(read_units=5e5, write_units=2e6), TWO_HOURS) == pytest.approx(
        {
            "dynamodb_million_wru": 2,
            "dynamodb_million_rru": 0.5,
            "dynamodb_gb_month": 0.73 * 2 / 730,
            "snapshot_gb_month": 8 / 730,
            "alarm_month": 3 / 730,  # two hours and a started one
        }
    )


def test_a_stopped_instance_pays_for_its_disk_only() -> None:
    stopped = run("a", 0, 60, disk_ended=None)
    bill = quantities(Found(after(120), (stopped,)), Traffic(cpu={"i-a": 1}), TWO_HOURS)
    assert bill["instance_hour/t3.micro"] == 1
    assert bill["gp3_gb_month"] == pytest.approx(8 * 2 / 730)


def test_what_cloudwatch_does_not_tell_is_not_measured() -> None:
    table = Table("messages", NOON, 0, on_demand=True, indexes=())
    found = Found(after(120), (run("a", 0),), (WEB,), (table,))
    unknown = used(found, Traffic(None, None, None, None, "refused"), TWO_HOURS, BASELINES)
    lost = {use.price for use in unknown if use.quantity is None and use.note == "refused"}
    assert lost == {
        "surplus_vcpu_hour",
        "lcu_hour",
        "transfer_out_gb",
        "dynamodb_million_wru",
        "dynamodb_million_rru",
    }


def test_an_instance_too_young_for_a_datapoint_is_named() -> None:
    [surplus] = [
        use
        for use in used(Found(after(120), (run("a", 0), run("b", 119))), Traffic(cpu={"i-a": 30}), TWO_HOURS, BASELINES)
        if use.price == "surplus_vcpu_hour"
    ]
    assert surplus.quantity == pytest.approx(0.8)
    assert "without i-b" in surplus.note


def test_provisioned_capacity_is_said_not_to_be_priced() -> None:
    table = Table("messages", NOON, 0, on_demand=False, indexes=())
    bill = used(Found(after(120), tables=(table,)), Traffic(), TWO_HOURS, BASELINES)
    assert [use.price for use in bill if use.quantity is None] == ["dynamodb_million_wru", "dynamodb_million_rru"]


def test_an_hour_ahead_is_of_what_stands_now_with_the_average_traffic() -> None:
    found = Found(after(120), (run("a", 0), run("b", 30, 75)), (WEB,))
    billed = used(found, Traffic(hours=(BalancerHour(processed_bytes=3e9),), cpu={"i-a": 30}), TWO_HOURS, BASELINES)
    ahead = {use.price: use.quantity for use in hourly(found, billed, TWO_HOURS)}
    assert ahead["instance_hour/t3.micro"] == 1
    assert ahead["load_balancer_hour"] == 1
    assert ahead["public_ipv4_hour"] == 3
    assert ahead["lcu_hour"] == pytest.approx(1.5)
    assert ahead["surplus_vcpu_hour"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("hours", "period"),
    [(1, 60), (23, 60), (25, 300), (100, 300), (200, 3600)],
)
def test_the_finest_period_that_fits_into_one_answer_is_asked_for(hours: float, period: int) -> None:
    assert period_for(hours * 3600) == period


def test_datapoints_are_summed_by_hour_of_awss_time() -> None:
    window = Window(NOON, after(6), speed=20)
    points = [(after(0), 1.0), (after(2.9), 2.0), (after(3), 4.0), (NOON - timedelta(seconds=1), 8.0)]
    assert by_hour(points, window) == {0: 11.0, 1: 4.0}
