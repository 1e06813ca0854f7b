"""The memory of an instance type, kept: an instance that takes more loses its biggest process, as on EC2.

Measured, not given to the kernel: a control group counts the page cache too, ends processes with words only the host's
administrator can read, and needs one more delegated controller; an address space limit breaks what reserves more than
it uses (threads, interpreters), and fails an allocation where Linux would end a process. So one thread looks at all
instances and acts as Linux's out-of-memory killer does, the same on every host.

Linux: Documentation/admin-guide/mm/concepts.rst (OOM killer), proc(5) for what is read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

TICK_SECONDS = 0.1
"""Real seconds between two looks at an instance near its limit; what it writes meanwhile comes on top of the limit."""

_FASTEST_GROWTH = 1024**3
"""Bytes per second, more than one core can fill: an instance far below its limit is looked at less often."""

_LONGEST_PAUSE_SECONDS = 1.0

_TICKS_TO_DIE = 5
"""An instance whose init does not end the process it was told to: then it is killed from here."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProcessMemory:
    """Bytes. ``resident`` counts pages shared with other processes in full, ``share`` by the number of sharers."""

    pid: int
    resident: int
    share: int


@dataclass(frozen=True)
class OutOfMemory:
    """The decision that ``pid`` must go; ``used`` and ``limit`` in bytes are the reason."""

    pid: int
    used: int
    limit: int


def out_of_memory(processes: Sequence[ProcessMemory], limit: int, init: int) -> OutOfMemory | None:
    """Linux's choice: the process with the most resident memory, but never the first one. Pure."""
    used = sum(process.share for process in processes)
    mortal = [process for process in processes if process.pid != init]
    if used <= limit or not mortal:
        return None
    return OutOfMemory(max(mortal, key=lambda process: process.resident).pid, used, limit)


@dataclass
class _Watch:
    """One running instance."""

    limit: int
    init: int
    processes: Callable[[], Iterable[int]]
    end: Callable[[int], None]
    dying: psutil.Process | None = None
    patience: int = 0
    due: float = 0.0
    """Monotonic time of the next look."""


class MemoryLimits:
    """Watches the running instances of one lab from one thread, which lives while there are any."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()

    def watch(
        self,
        instance_id: str,
        limit: int,
        init: int,
        processes: Callable[[], Iterable[int]],
        end: Callable[[int], None],
    ) -> None:
        """``limit`` in bytes. ``end`` is called, on the watching thread, with the pid that must be killed."""
        with self._guard:
            self._watches[instance_id] = _Watch(limit, init, processes, end)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="memory-limits", daemon=True)
                self._thread.start()

    def forget(self, instance_id: str) -> None:
        """Safe to call for what is not watched."""
        with self._guard:
            self._watches.pop(instance_id, None)

    def _run(self) -> None:
        while not self._idle.wait(TICK_SECONDS):
            with self._guard:
                watches = dict(self._watches)
                if not watches:
                    self._thread = None
                    return
            now = time.monotonic()
            for instance_id, watch in watches.items():
                if now < watch.due:
                    continue
                try:
                    _look(watch)
                except OSError:  # the instance is just ending
                    _log.debug("the memory of %s could not be read", instance_id, exc_info=True)


def _look(watch: _Watch) -> None:
    if watch.dying is not None:
        watch.patience -= 1
        if watch.dying.is_running() and watch.patience > 0:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            watch.dying.kill()
        watch.dying = None
        return
    resident = {pid: size for pid in watch.processes() if (size := _resident(pid))}
    # Shares add up to at most this, and cost a hundred times as much to read.
    room = watch.limit - sum(resident.values())
    if room >= 0:
        watch.due = time.monotonic() + min(room / _FASTEST_GROWTH, _LONGEST_PAUSE_SECONDS)
        return
    found = [ProcessMemory(pid, size, _share(pid, size)) for pid, size in resident.items()]
    decision = out_of_memory(found, watch.limit, watch.init)
    if decision is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            watch.dying, watch.patience = psutil.Process(decision.pid), _TICKS_TO_DIE
            watch.end(decision.pid)


def _resident(pid: int) -> int:
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _share(pid: int, resident: int) -> int:
    """Proportional set size; where there is none, what the process alone has."""
    with contextlib.suppress(psutil.Error):
        full = psutil.Process(pid).memory_full_info()
        return int(getattr(full, "pss", full.uss))
    return resident
