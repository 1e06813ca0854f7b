"""A server beside the lab: started and ended by record, with its last words when it cannot start."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from groundschool.cloud.compute.spawner import Spawner
from groundschool.cloud.process_record import ProcessRecord, is_running, read_record, record_process
from groundschool.cloud.supervisor import child_process
from groundschool.cloud.supervisor.child_process import ChildProcess
from groundschool.errors import LabError

LISTENS = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
FAILS = "import sys; print('what happened', flush=True); sys.exit('the port is taken')"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LISTENS

Make = Callable[[str], ChildProcess]


@pytest.fixture
def address() -> tuple[str, int]:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return "127.0.0.1", trial.getsockname()[1]


@pytest.fixture
def make(tmp_path: Path, address: tuple[str, int]) -> Iterator[Make]:
    spawner, made = Spawner(), []

    def child(program: str) -> ChildProcess:
        command = [sys.executable, "-I", "-S", "-c", program, str(address[1])]
        made.append(ChildProcess("store", command, tmp_path / "store", address, spawner, {}))
        return made[-1]

    yield child
    for each in made:
        each.stop()
    spawner.close()


def test_it_is_ready_when_it_accepts_connections(make: Make, address: tuple[str, int], tmp_path: Path) -> None:
    child = make(LISTENS)
    assert not child.alive()
    child.start()
    child.wait_until_ready()
    assert child.alive()
    socket.create_connection(address, timeout=1).close()
    record = read_record(tmp_path / "store" / "store.json")
    assert record is not None
    assert (record.role, is_running(record)) == ("store", True)


@pytest.mark.parametrize("program", [LISTENS, STUBBORN], ids=["willing", "deaf to SIGTERM"])
def test_it_is_ended_by_its_record_and_a_second_time_changes_nothing(
    make: Make, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = make(program)
    child.start()
    child.wait_until_ready()
    record = read_record(tmp_path / "store" / "store.json")
    assert record is not None
    child.stop()
    child.stop()
    assert not child.alive()
    assert not is_running(record)
    assert not (tmp_path / "store" / "store.json").exists()


def test_one_that_ends_before_it_is_recorded_is_told_with_its_last_words(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_its_end(pid: int, role: str) -> ProcessRecord:
        deadline = time.monotonic() + 10
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return record_process(pid, role)

    monkeypatch.setattr(child_process, "record_process", after_its_end)
    child = make(FAILS)
    child.start()
    with pytest.raises(LabError, match="The store did not start: the port is taken"):
        child.wait_until_ready()


def test_one_that_never_listens_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "READY_SECONDS", 0.2)
    child = make("import time; time.sleep(60)")
    child.start()
    with pytest.raises(LabError, match="it said nothing"):
        child.wait_until_ready()


def test_stopping_what_was_never_started_is_fine(make: Make) -> None:
    make(LISTENS).stop()
