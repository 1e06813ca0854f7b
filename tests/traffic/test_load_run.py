"""The generator's process against a small real server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from groundschool.errors import LoadError
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings, Loop
from groundschool.traffic.tally import LoadReport


def settings(board: Any, shape: LoadShape, **changes: Any) -> LoadSettings:
    return LoadSettings(board.url.rstrip("/"), shape, **changes)


def run_to_the_end(chosen: LoadSettings) -> LoadReport:
    with LoadRun(chosen) as run:
        for _ in run.snapshots():
            pass
        return run.stop()


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_an_open_loop_sends_exactly_the_requests_that_are_due(board: Any, tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    report = run_to_the_end(settings(board, LoadShape.constant(40, 2), acknowledged_file=str(ids)))
    assert (report.requests, report.failed) == (80, 0)
    assert report.statuses == {"200": 72, "201": 8}
    assert (board.pages, len(board.posts)) == (72, 8)
    assert report.served_by == {"i-0123456789abcdef0": 80}
    assert sorted(ids.read_text().split()) == sorted(f"m-{n}" for n in range(1, 9))


def test_the_file_of_acknowledged_posts_is_bounded(board: Any, tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    chosen = settings(board, LoadShape.constant(40, 1), acknowledged_file=str(ids), acknowledged_limit=2)
    report = run_to_the_end(replace(chosen, post_share=0.5))
    assert (report.acknowledged_posts, report.remembered_posts, len(ids.read_text().split())) == (20, 2, 2)


def test_an_open_loop_counts_the_waiting_of_requests_that_could_not_start(board: Any) -> None:
    """No coordinated omission: one connection serves 5/s, 20/s are due, so the later ones waited ever longer."""
    board.delay = 0.2
    report = run_to_the_end(settings(board, LoadShape.constant(20, 1), max_connections=1))
    assert report.requests == 20
    assert report.latency.max > 2.0  # 20 x 0.2 s of work, all due within 1 s
    assert report.latency.p50 > 1.0


def test_a_closed_loop_slows_down_with_its_system(board: Any) -> None:
    board.delay = 0.2
    report = run_to_the_end(settings(board, LoadShape.constant(2, 2), loop=Loop.CLOSED, think_seconds=0.01))
    assert 10 <= report.requests <= 22  # 2 users, 2 s, at least 0.2 s each
    assert report.latency.p50 == pytest.approx(0.2, abs=0.1)


def test_a_closed_loop_follows_its_shape(board: Any) -> None:
    shape = LoadShape.steps((6, 1.5), (1, 1.5))
    with LoadRun(settings(board, shape, loop=Loop.CLOSED, think_seconds=0.1)) as run:
        seconds = [snapshot.requests for snapshot in run.snapshots()]
        report = run.stop()
    assert report.connections == 6
    assert seconds[0] > 3 * seconds[2]


def test_a_new_shape_takes_effect_while_it_runs(board: Any) -> None:
    with LoadRun(settings(board, LoadShape.constant(2))) as run:
        wait_for(lambda: board.pages)
        run.reshape(LoadShape.constant(60))
        wait_for(lambda: run.latest and run.latest.requests >= 50)
        assert run.latest is not None
        assert run.latest.level == 60
        assert run.stop().failed == 0


def test_every_failure_is_counted_with_its_reason(board: Any) -> None:
    board.status = 503
    report = run_to_the_end(settings(board, LoadShape.constant(20, 1), post_share=0))
    assert report.failures == {"HTTP 503": 20}


def test_a_page_view_whose_connection_breaks_is_a_failure_and_not_sent_again(board: Any) -> None:
    board.hang_up = True
    report = run_to_the_end(settings(board, LoadShape.constant(10, 1), post_share=0))
    assert (report.requests, report.failed, report.statuses) == (10, 10, {"0": 10})
    assert board.pages == 10


def test_a_request_without_an_answer_in_time_has_failed(board: Any) -> None:
    board.delay = 1.0
    report = run_to_the_end(settings(board, LoadShape.constant(5, 0.5), timeout=0.2, post_share=0))
    assert report.failures == {"no answer in time": 2}


def test_what_is_unanswered_when_the_load_ends_has_failed(board: Any) -> None:
    board.delay = 2.0
    chosen = settings(board, LoadShape.constant(10, 0.5), drain_seconds=0.3, max_connections=2, post_share=0)
    report = run_to_the_end(chosen)
    assert report.requests == 5
    assert report.failures == {
        "never sent: every connection was busy until the load ended": 3,
        "unanswered when the load ended": 2,
    }


def test_nobody_there_is_a_reason_too() -> None:
    chosen = LoadSettings("http://127.0.0.1:27499", LoadShape.constant(5, 1))
    report = run_to_the_end(chosen)
    assert report.failed == report.requests == 5
    assert "Connection refused" in next(iter(report.failures))


def test_the_host_header_is_the_name_that_was_asked_for(board: Any) -> None:
    run_to_the_end(settings(board, LoadShape.constant(5, 1), host_header="board.localhost:80"))
    assert board.hosts == {"board.localhost:80"}


def test_stopping_early_still_gives_the_report(board: Any) -> None:
    with LoadRun(settings(board, LoadShape.constant(20))) as run:
        wait_for(lambda: board.pages > 3)
        report = run.stop()
        assert report.requests == board.pages + len(board.posts)
        assert not psutil.pid_exists(run.pid)


def test_leaving_the_run_leaves_no_process(board: Any) -> None:
    with pytest.raises(RuntimeError), LoadRun(settings(board, LoadShape.constant(5))) as run:  # noqa: PT012
        assert psutil.pid_exists(run.pid)
        raise RuntimeError("something else failed")
    assert not psutil.pid_exists(run.pid)


def test_a_generator_that_dies_gives_one_clear_error(board: Any) -> None:
    with LoadRun(settings(board, LoadShape.constant(5))) as run:
        psutil.Process(run.pid).kill()
        with pytest.raises(LoadError, match="ended without a report"):
            run.stop()


PARENT = """
import sys, time
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings
run = LoadRun(LoadSettings(sys.argv[1], LoadShape.constant(5)))
print(run.pid, flush=True)
time.sleep(60)
"""


def test_a_killed_parent_takes_the_generator_with_it(board: Any) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, board.url.rstrip("/")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_for(lambda: board.pages)
        parent.kill()
    wait_for(lambda: not psutil.pid_exists(pid))


def test_gevent_stays_in_the_child() -> None:
    code = (
        "import sys, groundschool.cli.load, groundschool.cli.demo, groundschool.cli.watch\n"
        "assert not {'gevent', 'locust'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
