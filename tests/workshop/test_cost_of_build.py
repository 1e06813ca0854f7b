"""``ground cost`` reads a world by describe calls and metrics only; here the world is moto's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from groundschool.cli import cost
from groundschool.errors import BuildError, UsageError
from groundschool.workshop import cost_traffic
from groundschool.workshop.cost_found import ACTIVITY, ENDED, Found, find
from groundschool.workshop.cost_traffic import BalancerHour, Traffic, Window, measure
from groundschool.workshop.instance import find_instance
from groundschool.workshop.world import World

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Callable[..., Result]:
    """``ground cost`` in moto's world, which is entered at AWS's own speed."""
    monkeypatch.setattr(cost, "enter", lambda on: World.from_environment())
    monkeypatch.setattr(cost, "running_lab", lambda home: SimpleNamespace(speed=1.0))
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))
    return lambda *words: CliRunner().invoke(cost.command, list(words))


def test_what_was_built_is_found_by_its_tag_or_name(mended: World) -> None:
    found = find(mended)
    by_hand = find_instance(mended)
    assert by_hand is not None
    assert by_hand["InstanceId"] in {run.instance_id for run in found.instances}
    assert [each.name for each in found.balancers] == [mended.name]
    assert found.balancers[0].addresses == 2
    assert [(each.name, each.on_demand) for each in found.tables] == [(mended.settings.table_name, True)]
    assert all(run.ended is None for run in found.instances)


def test_in_an_empty_world_nothing_costs(ground: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "find", lambda _: Found(NOON))
    done = ground()
    assert isinstance(done.exception, BuildError)
    assert "Nothing of the workshop exists here" in str(done.exception)


def test_the_bill_of_a_build_has_every_resource_and_its_total(mended: World, ground: Callable[..., Result]) -> None:
    done = ground("--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    priced = [line["amount"] for line in told["so_far"]["lines"] if line["amount"] is not None]
    assert told["so_far"]["total"] == pytest.approx(sum(priced))
    assert all(line["of"] and line["source"] and line["recorded"] for line in told["so_far"]["lines"])
    text = ground()
    assert text.exit_code == 0, text.output
    for words in ("So far", "Left as it is", "Application Load Balancer", "not priced", "Not included"):
        assert words in text.output


class Metrics:
    """CloudWatch with one datapoint per metric, half an hour after noon."""

    VALUES = {  # noqa: RUF012 - read only
        "NewConnectionCount": 10.0,
        "ActiveConnectionCount": 60.0,
        "ProcessedBytes": 1e6,
        "ConsumedReadCapacityUnits": 5.0,
        "ConsumedWriteCapacityUnits": 3.0,
        "CPUUtilization": 40.0,
    }

    def __init__(self, refused: bool = False) -> None:
        self.refused = refused

    def get_metric_statistics(self, MetricName: str, Statistics: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803
        if self.refused:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricStatistics")
        point = {"Timestamp": NOON + timedelta(minutes=3), Statistics[0]: self.VALUES[MetricName]}
        return {"Datapoints": [point]}


def traffic(mended: World, monkeypatch: pytest.MonkeyPatch, metrics: Metrics, speed: float) -> Traffic:
    found = find(mended)
    session = SimpleNamespace(client=lambda *_, **__: metrics)
    monkeypatch.setattr(cost_traffic, "CLIENT", None)
    return measure(SimpleNamespace(session=session), found, Window(NOON, NOON + timedelta(minutes=6), speed))  # type: ignore[arg-type]


def test_counts_of_requests_are_taken_times_the_speed_and_levels_are_not(
    mended: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = traffic(mended, monkeypatch, Metrics(), speed=20)
    assert seen.hours == (BalancerHour(new_connections=200, active_minutes=60, processed_bytes=2e7),)
    assert (seen.read_units, seen.write_units) == (100, 60)
    assert set((seen.cpu or {}).values()) == {40.0}


def test_what_cloudwatch_refuses_is_unmeasured_and_says_so(mended: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = traffic(mended, monkeypatch, Metrics(refused=True), speed=1)
    assert (seen.hours, seen.read_units, seen.write_units, seen.cpu) == (None, None, None, None)
    assert "AccessDenied" in seen.why_not


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("30m", NOON - timedelta(minutes=3), id="a span is AWS's time"),
        pytest.param("1.5h", NOON - timedelta(minutes=9), id="hours"),
        pytest.param("2026-11-22T11:00+00:00", NOON - timedelta(hours=1), id="an ISO time"),
    ],
)
def test_since_is_a_span_or_a_time(text: str, at: datetime) -> None:
    assert cost.moment(text, NOON, speed=10) == at


def test_since_a_time_of_day_is_today() -> None:
    local = NOON.astimezone()
    assert cost.moment(f"{local:%H:%M:%S}", NOON, speed=10) == NOON


@pytest.mark.parametrize("text", ["soon", "25:00", "10", "-5m"])
def test_since_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        cost.moment(text, NOON, speed=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--instances", "3"], "Add: --design", id="instances without a design"),
        pytest.param(["--region", "eu-west-1"], "--region goes with", id="a region for what exists"),
        pytest.param(["--design", "--region", "eu-west-1"], "ground cost --refresh --region eu-west-1", id="no prices"),
    ],
)
def test_what_makes_no_sense_is_said(ground: Callable[..., Result], words: list[str], says: str) -> None:
    done = ground(*words)
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)


def test_a_refresh_in_a_shell_that_points_at_the_lab_is_refused(
    ground: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4561")
    done = ground("--refresh")
    assert isinstance(done.exception, UsageError)
    assert "This shell points at the lab" in str(done.exception)


@pytest.mark.parametrize(
    ("description", "verb", "instance_id"),
    [
        ("Launching a new EC2 instance: i-0ab", "Launching a new", "i-0ab"),
        ("Terminating EC2 instance: i-0ab - Waiting For ELB Connection Draining.", "Terminating", "i-0ab"),
    ],
)
def test_activities_tell_of_members_that_are_gone(description: str, verb: str, instance_id: str) -> None:
    match = ACTIVITY.match(description)
    assert match is not None
    assert match.groups() == (verb, instance_id)


def test_the_end_of_an_instance_is_in_its_transition_reason() -> None:
    match = ENDED.search("User initiated (2026-11-22 12:00:00 GMT)")
    assert match is not None
    assert match[1] == "2026-11-22 12:00:00"
