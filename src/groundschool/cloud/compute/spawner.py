"""The one thread from which instances are started.

Linux tells a process that its parent died when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG). The
lab's API calls come on short-lived web threads; this thread lives as long as the lab.
"""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Start:
    """A process to start: a session leader with nothing on its standard input."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    inherited_descriptors: tuple[int, ...] = ()


class Spawner:
    """Starts processes that end with the lab, from any thread."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Start, Future[subprocess.Popen[bytes]]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="spawner", daemon=True)
        self._thread.start()

    def start(self, what: Start) -> subprocess.Popen[bytes]:
        """Returns when the process runs; raises OSError when it cannot."""
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._asked.put((what, answer))
        return answer.result()

    def close(self) -> None:
        """Ends the thread, and by that every process started by it that still runs."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._asked.get()) is not None:
            what, answer = job
            try:
                answer.set_result(_start(what))
            except Exception as error:  # handed to the caller, who knows what it means
                answer.set_exception(error)


def _start(what: Start) -> subprocess.Popen[bytes]:
    with what.log.open("ab") as log:
        return subprocess.Popen(
            list(what.command),
            env=dict(what.environment),
            cwd=what.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=what.inherited_descriptors,
        )
