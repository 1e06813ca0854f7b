"""What a run costs on AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from groundschool.errors import UsageError
from groundschool.workshop.cost import HOUR, MONTH_HOURS, Usage, estimate, running

AN_HOUR = Usage(seconds=HOUR, instance_seconds=2 * HOUR)


def amounts(usage: Usage) -> dict[str, float]:
    return {line.what: line.amount for line in estimate(usage).lines}


def test_an_hour_of_two_instances_behind_a_load_balancer() -> None:
    assert amounts(AN_HOUR) == pytest.approx(
        {
            "EC2 t3.micro": 2 * 0.0108,
            "EC2 CPU above the baseline": 0,
            "EBS gp3": 2 * 8 / MONTH_HOURS * 0.0836,
            "Public IPv4 addresses": 4 * 0.005,
            "Application Load Balancer": 0.02394,
            "Load balancer capacity": 0,
            "DynamoDB writes": 0,
            "DynamoDB reads": 0,
        }
    )


def test_the_total_is_the_sum_of_the_lines_and_the_month_has_730_hours() -> None:
    bill = estimate(AN_HOUR)
    assert bill.total == pytest.approx(sum(line.quantity * line.price for line in bill.lines))
    assert bill.per_hour == pytest.approx(bill.total)
    assert bill.per_month == pytest.approx(bill.total * 730)


def test_the_price_per_hour_does_not_depend_on_how_long_it_ran() -> None:
    assert estimate(running(3, hours=0.25)).per_hour == pytest.approx(estimate(running(3, hours=8)).per_hour)


@pytest.mark.parametrize(
    ("fields", "line", "amount"),
    [
        pytest.param({"read_units": 8e6}, "DynamoDB reads", 1.0, id="reads"),
        pytest.param({"write_units": 1.6e6}, "DynamoDB writes", 1.0, id="writes"),
        pytest.param({"new_connections": 25 * HOUR}, "Load balancer capacity", 0.0076, id="connections"),
        pytest.param({"processed_bytes": 3_000_000_000}, "Load balancer capacity", 3 * 0.0076, id="bytes"),
        pytest.param({"vcpu_seconds": 0.4 * HOUR}, "EC2 CPU above the baseline", 0, id="CPU within the baseline"),
        pytest.param({"vcpu_seconds": 1.4 * HOUR}, "EC2 CPU above the baseline", 0.05, id="CPU above the baseline"),
        pytest.param({"instance_type": "t3.large"}, "EC2 t3.large", 2 * 0.0864, id="another type"),
    ],
)
def test_each_thing_used_has_its_line(fields: dict[str, float], line: str, amount: float) -> None:
    assert amounts(replace(AN_HOUR, **fields))[line] == pytest.approx(amount)  # type: ignore[arg-type]


def test_the_capacity_of_the_load_balancer_is_its_largest_dimension_and_not_the_sum() -> None:
    both = replace(AN_HOUR, new_connections=25 * HOUR, processed_bytes=500_000_000)
    assert amounts(both)["Load balancer capacity"] == pytest.approx(0.0076)


def test_every_price_has_a_source_and_the_list_has_a_date() -> None:
    bill = estimate(AN_HOUR)
    assert all(line.source for line in bill.lines)
    assert bill.recorded.year >= 2026
    assert any("detailed monitoring" in each for each in bill.not_included)


def test_a_region_or_type_without_prices_says_so() -> None:
    with pytest.raises(UsageError, match="No prices are recorded for us-west-2"):
        estimate(AN_HOUR, region="us-west-2")
    with pytest.raises(UsageError, match=r"No price is recorded for m7i\.large"):
        estimate(replace(AN_HOUR, instance_type="m7i.large"))
