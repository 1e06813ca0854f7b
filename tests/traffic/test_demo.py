"""The demo's story on a small model of a group, with real load on a small real server."""

from __future__ import annotations

import io
import math
import re
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from groundschool.cli import demo_lab
from groundschool.cli.demo import Demo
from groundschool.cli.demo_driver import ENOUGH, FIRST_RATE, Driver, goal_for
from groundschool.cli.demo_lab import Lab
from groundschool.cli.demo_record import Record
from groundschool.errors import LabError
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.tally import Latency, Snapshot
from groundschool.workshop.observation import Alarm, Datapoint, Member, Observation, Target
from groundschool.workshop.settings import WorkshopSettings

SPEED = 150.0
MINUTE = timedelta(seconds=60 / SPEED)


class ModelGroup:
    """Target tracking at 50 % CPU, by the minute: high alarm after 3 minutes, low after 15, then one per minute.

    ``cost``: per cent of one instance's CPU per request per second.
    """

    def __init__(self, board: Any, cost: float, largest: int = 10) -> None:
        self._board, self._cost, self._largest = board, cost, largest
        self._minute = datetime.now(UTC)
        self._served = 0
        self._capacity, self._high, self._low = 2, 0, 0
        self._cpu: Datapoint | None = None

    def __call__(self) -> Observation:
        while datetime.now(UTC) >= self._minute + MINUTE:
            self._end_minute()
        self._board.instances = [f"i-{number}" for number in range(self._capacity)]
        alarms = (self._alarm("High", 50, self._high >= 3), self._alarm("Low", 35, self._low >= 15))
        return Observation(
            at=datetime.now(UTC),
            group_name="visitor-board",
            minimum=1,
            desired=self._capacity,
            maximum=10,
            members=tuple(Member(one, "eu-north-1a", "InService", "Healthy") for one in self._board.instances),
            targets=tuple(Target(one, "healthy", None) for one in self._board.instances),
            alarms=alarms,
            activities=(),
            cpu=self._cpu,
        )

    @staticmethod
    def _alarm(side: str, threshold: float, on: bool) -> Alarm:
        return Alarm(f"TargetTracking-visitor-board-Alarm{side}-1", "ALARM" if on else "OK", threshold, "")

    def _end_minute(self) -> None:
        served = self._board.pages + len(self._board.posts)
        rate = (served - self._served) / MINUTE.total_seconds()
        cpu = min(100.0, rate * self._cost / self._capacity)
        self._cpu, self._served, self._minute = Datapoint(self._minute, cpu), served, self._minute + MINUTE
        self._high, self._low = (self._high + 1 if cpu > 50 else 0), (self._low + 1 if cpu < 35 else 0)
        if self._high >= 3:
            self._capacity = min(self._largest, math.ceil(self._capacity * cpu / 50))
        elif self._low >= 15:
            self._capacity = max(1, self._capacity - 1)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))


def demo_of(board: Any, group: ModelGroup) -> tuple[Demo, io.StringIO]:
    printed, started = io.StringIO(), time.monotonic()
    console = Console(file=printed, width=120, soft_wrap=True)
    record = Record(SPEED, lambda: time.monotonic() - started, lambda line: console.print(line, markup=False))
    return Demo(WorkshopSettings(), board.url, SPEED, group, record, console), printed


def test_the_demo_finds_the_load_that_scales_the_group_out_and_waits_until_it_is_back(board: Any) -> None:
    demo, printed = demo_of(board, ModelGroup(board, cost=2.5))
    board.instances = ["i-0", "i-1"]
    demo.show_serving()
    assert demo.scale_out_and_in() == []
    text = printed.getvalue()
    assert "is served by i-0 and i-1" in text
    assert re.search(r"Load 4 -> \d+ requests/s: CPU is below the goal", text)
    assert "AlarmHigh (threshold 50 %): OK -> ALARM" in text
    assert re.search(r"in service \d -> [4-9]", text)
    assert re.search(r"in service \d -> 1", text)
    assert "0 failed" in text
    assert "acknowledged posts are on the board" in text
    assert re.search(r"On AWS this run would have taken \d+ minutes and cost \$0\.\d\d", text)


def test_a_group_that_does_not_scale_and_requests_that_fail_are_told(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundschool.cli.demo.REAL_ALLOWANCE", 0.0)
    monkeypatch.setattr("groundschool.cli.demo.OUT_LAB_SECONDS", 300.0)
    monkeypatch.setattr("groundschool.cli.demo.IN_LAB_SECONDS", 60.0)
    board.status = 503
    demo, _ = demo_of(board, ModelGroup(board, cost=2.5, largest=3))
    failed = demo.scale_out_and_in()
    assert [check for check in failed if re.fullmatch(r"\d+ of \d+ requests failed", check)]
    assert "The group reached 2 instances, not 4" in failed
    assert "The group did not come back to its minimum in time" in failed


@pytest.mark.parametrize(
    ("instances", "per_cent"),
    [
        pytest.param(1, 80, id="one: doubled twice"),
        pytest.param(2, 80, id="two: to four at once"),
        pytest.param(3, 62, id="three: well above the target, so that the fourth comes"),
    ],
)
def test_the_goal_asks_for_four_instances_from_every_size(instances: int, per_cent: float) -> None:
    assert goal_for(instances).per_cent == per_cent


class SteeredRun:
    """A load that is only told what to send."""

    def __init__(self, unfinished: int) -> None:
        latency = Latency(0.1, 0.1, 0.1, 0.1, 0.1)
        self.latest = Snapshot(1, 1, FIRST_RATE, 4, 0, unfinished, 0, latency, {}, 4, 0, 0)
        self.levels: list[float] = []

    def reshape(self, shape: LoadShape) -> None:
        self.levels.append(shape.points[-1][1])


@pytest.mark.parametrize(
    ("unfinished", "levels"),
    [pytest.param(100, [FIRST_RATE * 0.75], id="backlog"), pytest.param(0, [], id="CPU far from the goal")],
)
def test_when_the_group_is_large_enough_the_load_gives_way_to_a_backlog_and_to_nothing_else(
    board: Any, unfinished: int, levels: list[float]
) -> None:
    group, run = ModelGroup(board, cost=2.5), SteeredRun(unfinished)
    seen = replace(group(), desired=ENOUGH, cpu=Datapoint(datetime.now(UTC) + MINUTE, 20.0))
    driver = Driver(cast(LoadRun, run))
    driver.drive(seen)
    driver.drive(seen)  # at once: a backlog needs time to shrink before it counts again
    assert run.levels == levels


VERBS = """
import os, sys, time
verb, log, failing = sys.argv[1], sys.argv[-2], sys.argv[-1]
with open(log, "a") as f: f.write(verb + "\\n")
if verb == "up" and failing == "interrupted":
    os.kill(os.getppid(), 2)
    time.sleep(0.2)
    with open(log, "a") as f: f.write("up ended by itself\\n")
sys.exit(verb == failing)
"""


class Verbs:
    """Real processes in place of the verbs, which note that they were called; the ``failing`` one fails."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "none") -> None:
        self._log = folder / "verbs"

        def entered() -> None:
            if failing == "enter":
                raise LabError("no lab")

        def verb(*arguments: str) -> list[str]:
            return [sys.executable, "-S", "-c", VERBS, *arguments, str(self._log), failing]

        monkeypatch.setattr(demo_lab, "_verb", verb)
        monkeypatch.setattr(demo_lab, "enter", entered)

    @property
    def called(self) -> list[str]:
        return self._log.read_text().splitlines()


def test_a_demo_takes_its_lab_down_even_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verbs = Verbs(tmp_path, monkeypatch)
    with pytest.raises(RuntimeError), Lab(20):
        raise RuntimeError("anything")
    assert verbs.called == ["up", "down"]


def test_a_failing_build_is_one_clear_error_and_takes_the_lab_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = Verbs(tmp_path, monkeypatch, "build")
    with pytest.raises(LabError, match="could not be built"), Lab(20) as lab:
        lab.build()
    assert verbs.called == ["up", "build", "down"]


def test_a_lab_that_could_not_be_started_is_not_taken_down_because_it_may_be_another_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = Verbs(tmp_path, monkeypatch, "up")
    with pytest.raises(LabError, match="could not start"), Lab(20):
        pass
    assert verbs.called == ["up"]


def test_a_lab_that_cannot_be_entered_is_taken_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verbs = Verbs(tmp_path, monkeypatch, "enter")
    with pytest.raises(LabError, match="no lab"), Lab(20):
        pass
    assert verbs.called == ["up", "down"]


def test_ctrl_c_while_the_lab_starts_lets_it_start_and_takes_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = Verbs(tmp_path, monkeypatch, "interrupted")
    with pytest.raises(KeyboardInterrupt), Lab(20):
        pytest.fail("the demo went on after Ctrl-C")
    assert verbs.called == ["up", "up ended by itself", "down"]
