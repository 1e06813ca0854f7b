"""``ground watch``: the view, the lines and the samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import boto3
import pytest
from click.testing import CliRunner
from rich.console import Console

from groundschool.cli import watch
from groundschool.cli.demo_record import Record
from groundschool.cli.watch_view import Scene, bar, timeline, view
from groundschool.endpoint import Answer
from groundschool.traffic.tally import Latency, LoadReport
from groundschool.workshop.observation import Alarm, Member, Observation, Target
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

SHARES = {"i-a": 0.75, "i-b": 0.25}
REPORT = LoadReport(10.0, 110, {}, {}, Latency(), {}, 10, 10, 5_000, 3)


def shown(scene: Scene) -> str:
    console = Console(width=120, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(view(scene))
    return capture.get()


def test_the_view_shows_capacity_cpu_alarms_instances_shares_and_activities(steady: Observation) -> None:
    text = shown(Scene((steady,), SHARES))
    assert "target 50 %" in text
    assert "AlarmHigh OK" in text
    assert "43 %" in text
    assert "1 to 10" in text
    assert "75%" in next(line for line in text.splitlines() if "i-a" in line)
    assert "Launching a new EC2 instance: i-a: Successful. At T a user" in text


def test_the_view_of_an_empty_group_says_what_is_missing(changed: Callable[..., Observation]) -> None:
    text = shown(Scene((changed(members=(), targets=(), alarms=(), activities=(), cpu=None),), {}))
    assert "no data yet" in text
    assert "none yet" in text


def test_the_view_tells_why_a_target_does_not_serve(changed: Callable[..., Observation]) -> None:
    text = shown(Scene((changed(targets=(Target("i-a", "unhealthy", "Target.Timeout"),)),), {}))
    assert "unhealthy (Target.Timeout)" in text
    assert "not registered" in next(line for line in text.splitlines() if "i-b" in line)


def test_an_instance_that_serves_beside_the_group_is_shown(changed: Callable[..., Observation]) -> None:
    text = shown(Scene((changed(targets=(Target("i-by-hand", "healthy", None),)),), {"i-by-hand": 1.0}))
    line = next(line for line in text.splitlines() if "i-by-hand" in line)
    assert "not in the group" in line
    assert "100%" in line


def test_the_timeline_grows_with_the_capacity() -> None:
    assert timeline([0, 2, 4], top=4) == " ▄█"


@pytest.mark.parametrize(
    ("per_cent", "filled"),
    [pytest.param(0, 0, id="idle"), pytest.param(50, 15, id="half"), pytest.param(140, 30, id="never beyond the bar")],
)
def test_the_bar_is_as_long_as_the_cpu(per_cent: float, filled: int) -> None:
    assert bar(per_cent, None).count("█") == filled
    assert len(bar(per_cent, 50)) == 30


@pytest.fixture
def _two_looks(steady: Observation, changed: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that is looked at twice, and then Ctrl-C."""
    later = changed(desired=3, alarms=(replace(steady.alarms[0], state="ALARM"), steady.alarms[1]))

    def scenes(*_: object) -> Iterator[Scene]:
        yield Scene((steady,), SHARES)
        yield Scene((steady, later), SHARES)
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "_scenes", scenes)
    nowhere = World(boto3.Session(region_name="eu-north-1"), WorkshopSettings())
    monkeypatch.setattr(watch, "enter", lambda on: nowhere)


@pytest.mark.usefixtures("_two_looks")
def test_piped_it_prints_a_line_per_event_and_a_status_line_per_look_and_ctrl_c_ends_with_0() -> None:
    result = CliRunner().invoke(watch.command, [])
    assert result.exit_code == 0
    lines = [line.split("  ", 1)[1] for line in result.output.splitlines()]
    assert lines[0].endswith("serving: i-a, i-b · requests: i-a 75%  i-b 25%")
    assert lines[1:3] == ["AlarmHigh (threshold 50 %): OK -> ALARM", "desired capacity 2 -> 3"]
    assert lines[3].startswith("desired 3, in service 2")
    assert len(lines) == 4


@pytest.mark.usefixtures("_two_looks")
def test_as_json_each_look_is_a_line_with_its_events() -> None:
    first, second = (json.loads(line) for line in CliRunner().invoke(watch.command, ["--json"]).output.splitlines())
    assert (first["events"], first["shares"]) == ([], SHARES)
    assert second["observation"]["desired"] == 3
    assert [event["kind"] for event in second["events"]] == ["alarm", "capacity"]


def test_shares_come_from_the_served_by_header_in_any_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"x-served-by": "i-a"}, {"X-Served-By": "i-a"}, {"X-SERVED-BY": "i-b"}, {"Server": "envoy"}])
    monkeypatch.setattr(watch, "fetch", lambda url, timeout: Answer(200, next(answers), b"", 0.01))
    assert watch.ShareSampler("http://127.0.0.1/").sample() == {"i-a": 2 / 3, "i-b": 1 / 3}


def test_a_board_that_does_not_answer_has_no_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(url: str, timeout: float) -> Answer:
        raise ConnectionError(url)

    monkeypatch.setattr(watch, "fetch", refused)
    assert watch.ShareSampler("http://127.0.0.1/").sample() == {}
    assert watch.ShareSampler(None).sample() == {}


def record_of(*looks: tuple[float, Observation]) -> tuple[Record, list[str]]:
    """A demo at speed 20 that looked at these real seconds."""
    said: list[str] = []
    clock = [0.0]
    record = Record(20, lambda: clock[0], said.append)
    for at, seen in looks:
        clock[0] = at
        record.look(seen, None, rate=4)
    return record, said


def test_events_are_told_with_real_and_lab_time(steady: Observation, changed: Callable[..., Observation]) -> None:
    _, said = record_of((1, steady), (4, changed(desired=4)))
    assert said == ["    4 s    1:20 lab  desired capacity 2 -> 4"]


def test_the_usage_of_a_run_is_in_aws_time(steady: Observation, changed: Callable[..., Observation]) -> None:
    four = tuple(Member(f"i-{n}", "eu-north-1a", "InService", "Healthy") for n in range(4))
    record, _ = record_of((0, steady), (180, changed(members=four)), (360, steady))
    usage = record.usage(REPORT, "t3.micro")
    assert usage.seconds == 360 * 20
    assert usage.instance_seconds == 180 * 20 * 2 + 180 * 20 * 4
    assert usage.vcpu_seconds == pytest.approx(usage.instance_seconds * 2 * 0.432)
    assert (usage.read_units, usage.write_units) == (100 * 0.5 * 20, 10 * 2 * 20)


def test_the_timeline_of_a_run_has_a_row_per_change(steady: Observation, changed: Callable[..., Observation]) -> None:
    alarm = changed(alarms=(Alarm(steady.alarms[0].name, "ALARM", 50, ""),))
    record, _ = record_of((0, steady), (1, steady), (2, alarm), (3, alarm), (4, changed(desired=4)))
    assert record.timeline().row_count == 3
