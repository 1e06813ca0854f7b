"""A process the lab started, remembered so that a later supervisor ends that process and no other.

A pid alone is not a name: the kernel gives it out again. A record holds the pid *and* the start time as the operating
system reports it, and everything here acts only while both match. Records are JSON files in the state folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class ProcessRecord:
    """``started`` is opaque: equal for the same process, different for every other one, also after a reboot."""

    pid: int
    started: str
    command: tuple[str, ...]
    role: str
    """What it is in the lab: ``envoy``, ``store``, ``instance i-0abc...``."""


def record_process(pid: int, role: str) -> ProcessRecord:
    """The record of a process that runs now. Raises ProcessLookupError when it does not."""
    try:
        process = psutil.Process(pid)
        return ProcessRecord(pid, _start_time(pid), tuple(process.cmdline()), role)
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"no process with pid {pid}") from None


def write_record(record: ProcessRecord, path: Path) -> None:
    """Atomic: a reader finds the whole record or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(asdict(record)) + "\n")
    partial.replace(path)


def read_record(path: Path) -> ProcessRecord | None:
    """None when there is no record, or when what is there is not one (a half-written file is not a process)."""
    try:
        found = json.loads(path.read_text())
        return ProcessRecord(int(found["pid"]), str(found["started"]), tuple(found["command"]), str(found["role"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def is_running(record: ProcessRecord) -> bool:
    """Whether *this* process still runs: pid and start time match, and it is not a zombie."""
    try:
        return _start_time(record.pid) == record.started and psutil.Process(record.pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False


def end(record: ProcessRecord, grace: float = 3.0) -> bool:
    """Ends the recorded process, its process group (when it leads one) and its descendants.

    SIGTERM, then SIGKILL for what is left after ``grace`` real seconds. Returns whether there was anything to end;
    on return nothing of it runs. A stopped process is continued, so that it can act on SIGTERM.
    """
    if not is_running(record):
        return False
    family = _family(record.pid)
    for member in family:
        _signal(member, signal.SIGTERM)
        _signal(member, signal.SIGCONT)
    survivors = _wait_gone(family, grace)
    while survivors:
        # Children born during the grace are children of survivors: look once more before killing the parents.
        family = {member for survivor in survivors for member in _family(survivor.pid)} | survivors
        for member in family:
            _signal(member, signal.SIGKILL)
        survivors = _wait_gone(family, 1.0)
    return True


def end_processes(pids: Iterable[int]) -> None:
    """SIGKILL to processes known to be the lab's at this moment; returns when they are gone."""
    family = set()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            family.add(psutil.Process(pid))
    for member in family:
        _signal(member, signal.SIGKILL)
    _wait_gone(family, 1.0)


def processes_with_environment(name: str, value: str) -> list[int]:
    """The pids of this user's processes whose environment has ``name=value``: what escaped every process tree."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(name) == value:
                found.append(process.pid)
    return found


def _start_time(pid: int) -> str:
    if sys.platform != "linux":
        return repr(psutil.Process(pid).create_time())
    # Ticks since boot never move; psutil's create_time follows the wall clock, which does.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        raise ProcessLookupError(f"no process with pid {pid}") from None
    ticks = stat.rpartition(")")[2].split()[19]
    return f"{_boot_id()}:{ticks}"


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _family(pid: int) -> set[psutil.Process]:
    """The process, its descendants, and the members of the group it leads."""
    try:
        leader = psutil.Process(pid)
        family = {leader, *leader.children(recursive=True)}
        if os.getpgid(pid) == pid:
            family.update(_group(pid))
    except (psutil.NoSuchProcess, ProcessLookupError):
        return set()
    return family


def _group(group: int) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group:
                members.append(process)
    return members


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    # psutil compares the start time again before it sends, so that a reused pid is never hit.
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait_gone(processes: set[psutil.Process], seconds: float) -> set[psutil.Process]:
    """Polls instead of waitpid: reaping belongs to whoever holds the Popen."""
    deadline = time.monotonic() + seconds
    left = {process for process in processes if _runs(process)}
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = {process for process in left if _runs(process)}
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
