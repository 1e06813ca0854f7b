import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from groundschool.cloud.process_record import (
    end,
    is_running,
    processes_with_environment,
    read_record,
    record_process,
    write_record,
)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_record_survives_its_file(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    record = record_process(sleeper.pid, "envoy")
    write_record(record, tmp_path / "state" / "envoy.json")
    assert read_record(tmp_path / "state" / "envoy.json") == record


@pytest.mark.parametrize("content", [None, "", "{}", '{"pid": 1', "[]"])
def test_what_is_not_a_record_reads_as_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_text(content)
    assert read_record(path) is None


def test_another_process_with_the_same_pid_is_neither_running_nor_ended(sleeper: subprocess.Popen[bytes]) -> None:
    other = replace(record_process(sleeper.pid, "store"), started="another start")
    assert not is_running(other)
    assert not end(other)
    assert sleeper.poll() is None


def test_a_zombie_is_not_running(sleeper: subprocess.Popen[bytes], wait_for) -> None:
    record = record_process(sleeper.pid, "store")
    sleeper.kill()
    wait_for(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE, "zombie")
    assert not is_running(record)


def test_an_unknown_pid_cannot_be_recorded() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(ProcessLookupError):
        record_process(process.pid, "store")


def test_end_takes_descendants_that_ignore_sigterm_and_are_stopped(tmp_path: Path, wait_for) -> None:
    script = "trap '' TERM; sleep 61 & sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & wait"
    parent = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    wait_for(lambda: len(psutil.Process(parent.pid).children()) == 2, "two children")
    family = psutil.Process(parent.pid).children()
    family[1].suspend()
    assert end(record_process(parent.pid, "store"), grace=0.2)
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert parent.wait(timeout=5) in (-signal.SIGKILL, 0)  # 0: its children went first, and its wait with them


def test_a_process_is_found_by_its_environment(wait_for) -> None:
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, "GROUND_TEST": "mine"})
    wait_for(lambda: processes_with_environment("GROUND_TEST", "mine") == [process.pid], "the marked process")
    process.kill()
    process.wait()
    assert processes_with_environment("GROUND_TEST", "mine") == []
