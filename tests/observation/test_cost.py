"""What things cost on AWS: the arithmetic, by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from groundschool.errors import UsageError
from groundschool.workshop.cost import (
    HOUR,
    MONTH_HOURS,
    Usage,
    Use,
    alone,
    bill,
    estimate,
    lcu_hours,
    running,
    together,
    uses,
)
from groundschool.workshop.cost_design import design, design_uses, outlook
from groundschool.workshop.cost_prices import Price, price_list
from groundschool.workshop.settings import WorkshopSettings

AN_HOUR = Usage(seconds=HOUR, instance_seconds=2 * HOUR)
TODAY = date(2026, 11, 22)


def amounts(usage: Usage) -> dict[str, float | None]:
    return {line.what: line.amount for line in estimate(usage).lines if line.quantity}


def test_an_hour_of_two_instances_behind_a_load_balancer() -> None:
    assert amounts(AN_HOUR) == pytest.approx(
        {
            "EC2 t3.micro": 2 * 0.0108,
            "EBS gp3": 2 * 8 / MONTH_HOURS * 0.0836,
            "Public IPv4 addresses": 4 * 0.005,  # two instances, two zones of the balancer
            "Application Load Balancer": 0.02394,
        }
    )


def test_the_design_at_rest_has_detailed_monitoring_and_the_policys_two_alarms() -> None:
    at_rest = amounts(running(2))
    assert at_rest["CloudWatch detailed monitoring"] == pytest.approx(2 * 7 * 0.30 / 730)
    assert at_rest["CloudWatch alarms"] == pytest.approx(2 * 0.10 / 730)
    assert not {"CloudWatch alarms", "CloudWatch detailed monitoring"} & set(amounts(alone()))


def test_the_total_is_the_sum_of_the_lines_and_the_month_has_730_hours() -> None:
    told = estimate(AN_HOUR)
    assert told.total == pytest.approx(sum((line.quantity or 0) * (line.price or 0) for line in told.lines))
    assert told.per_hour == pytest.approx(told.total)
    assert told.per_month == pytest.approx(told.total * 730)


def test_the_price_per_hour_does_not_depend_on_how_long_it_ran() -> None:
    assert estimate(running(3, hours=0.25)).per_hour == pytest.approx(estimate(running(3, hours=8)).per_hour)


@pytest.mark.parametrize(
    ("fields", "line", "amount"),
    [
        pytest.param({"read_units": 8e6}, "DynamoDB reads", 1.0, id="reads"),
        pytest.param({"write_units": 1.6e6}, "DynamoDB writes", 1.0, id="writes"),
        pytest.param({"new_connections": 25 * HOUR}, "Load balancer capacity", 0.0076, id="connections"),
        pytest.param({"processed_bytes": 3_000_000_000}, "Load balancer capacity", 3 * 0.0076, id="bytes"),
        pytest.param({"vcpu_seconds": 1.4 * HOUR}, "EC2 CPU above the baseline", 0.05, id="CPU above the baseline"),
        pytest.param({"instance_type": "t3.large"}, "EC2 t3.large", 2 * 0.0864, id="another type"),
    ],
)
def test_each_thing_used_has_its_line(fields: dict[str, float], line: str, amount: float) -> None:
    assert amounts(replace(AN_HOUR, **fields))[line] == pytest.approx(amount)  # type: ignore[arg-type]


def test_cpu_within_the_baseline_is_free() -> None:
    assert "EC2 CPU above the baseline" not in amounts(replace(AN_HOUR, vcpu_seconds=0.4 * HOUR))


@pytest.mark.parametrize(
    ("hours", "new", "active", "size", "units"),
    [
        pytest.param(1, 90_000, 0, 0, 1.0, id="25 new connections a second"),
        pytest.param(1, 0, 3000, 0, 1.0, id="3,000 active connections"),
        pytest.param(2, 0, 1500, 0, 1.0, id="half as many for two hours"),
        pytest.param(1, 0, 0, 2.5e9, 2.5, id="2.5 GB"),
        pytest.param(1, 90_000, 1500, 5e8, 1.0, id="the largest, not the sum"),
    ],
)
def test_capacity_units_are_the_largest_dimension(
    hours: float, new: float, active: float, size: float, units: float
) -> None:
    assert lcu_hours(hours, new, active, size) == pytest.approx(units)


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        pytest.param(0, 0.0, id="nothing"),
        pytest.param(25, 0.0, id="the free tier"),
        pytest.param(30, 5 * 0.25, id="five beyond it"),
        pytest.param(125, 75 * 0.25 + 25 * 0.1, id="into the third"),
    ],
)
def test_a_price_in_tiers_is_paid_tier_by_tier(quantity: float, amount: float) -> None:
    price = Price(((0, 0.0), (25, 0.25), (100, 0.1)), "API", TODAY)
    assert price.amount(quantity) == pytest.approx(amount)


def test_a_price_that_is_not_known_leaves_a_line_without_an_amount_and_with_the_reason() -> None:
    [line] = bill([Use("transfer_out_gb", 3.0)], price_list("eu-north-1"), HOUR).lines
    assert (line.quantity, line.price, line.amount) == (3.0, None, None)
    assert line.note.startswith("not priced: no source gave the price")


def test_what_has_no_entry_at_all_is_a_line_too() -> None:
    [line] = bill([Use("gp2_gb_month", 1.0)], price_list("eu-north-1"), HOUR).lines
    assert line.note == "not priced: no price is recorded for gp2_gb_month"


def test_what_is_not_measured_is_not_taken_for_nothing() -> None:
    told = bill([Use("lcu_hour", None, note="CloudWatch did not answer")], price_list("eu-north-1"), HOUR)
    assert told.lines[0].amount is None
    assert told.lines[0].note == "not measured: CloudWatch did not answer"
    added = together([Use("lcu_hour", 1.0)], [Use("lcu_hour", None, note="no")])
    assert added[0].quantity is None


def test_the_sessions_are_an_hour_alone_and_an_hour_of_the_design() -> None:
    prices, settings = price_list("eu-north-1"), WorkshopSettings()
    ahead = outlook(design_uses(design(2, 0, settings), prices), prices, "t3.micro")
    sessions = {line.what: line.quantity for line in ahead.sessions.lines}
    assert sessions["EC2 t3.micro"] == 3
    assert sessions["Public IPv4 addresses"] == 5
    assert sessions["Application Load Balancer"] == 1
    assert ahead.month.total == pytest.approx(730 * ahead.hour.total)
    assert ahead.sessions.total == pytest.approx(ahead.hour.total + estimate(alone()).total)


def test_a_design_under_load_pays_for_cpu_units_and_capacity() -> None:
    hour = {
        use.what: use.quantity for use in uses(design(4, 50, WorkshopSettings()), price_list("eu-north-1").baselines)
    }
    # 4 instances at 50 % of 2 vCPUs use 4 vCPU-hours and earn 4 x 2 x 10 % = 0.8.
    assert hour["EC2 CPU above the baseline"] == pytest.approx(3.2)
    # 180,000 requests: 162,000 pages at 0.5 RRU, 18,000 posts at 2 WRU, 8.5 kB each.
    assert hour["DynamoDB reads"] == pytest.approx(0.081)
    assert hour["DynamoDB writes"] == pytest.approx(0.036)
    assert hour["Load balancer capacity"] == pytest.approx(1.53)


def test_every_price_has_a_source_and_a_date_or_a_reason() -> None:
    prices = price_list("eu-north-1").prices
    assert all(
        price.recorded.year >= 2026 and ((price.tiers and price.source) or price.why_not) for price in prices.values()
    )
    assert prices["dynamodb_gb_month"].source == "O, us-east-1"


def test_a_region_or_type_without_prices_says_so() -> None:
    with pytest.raises(UsageError, match=r"No prices are recorded for us-west-2.*ground cost --refresh"):
        estimate(AN_HOUR, region="us-west-2")
    with pytest.raises(UsageError, match=r"No price is recorded for m7i\.large"):
        estimate(replace(AN_HOUR, instance_type="m7i.large"))


def test_a_refreshed_list_is_preferred_and_a_broken_one_is_named(tmp_path: Path) -> None:
    entry = {"tiers": [[0, 0.02]], "source": "API"}
    document = {"region": "eu-north-1", "recorded": "2026-12-01", "baseline": {"t3.micro": 0.1}}
    document |= {"instance_hour": {"t3.micro": entry}, "lcu_hour": entry}
    file = tmp_path / "eu-north-1.json"
    file.write_text(json.dumps(document))
    prices = price_list("eu-north-1", tmp_path)
    assert (prices.recorded, prices.price("lcu_hour").tiers) == (date(2026, 12, 1), ((0, 0.02),))
    assert str(file) in prices.origin
    file.write_text("{half")
    with pytest.raises(UsageError, match=r"eu-north-1\.json is not a price list"):
        price_list("eu-north-1", tmp_path)
