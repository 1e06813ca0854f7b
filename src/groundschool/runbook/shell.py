"""One bash that runs a runbook's blocks one after the other, so that their variables carry over."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

BLOCK_TIMEOUT = 240.0
"""Seconds; the longest wait of a runbook is a scale-out."""

END_GRACE = 5.0

STOP_AT_FAILURE = "set -u -o pipefail; trap 'failed=$?; [ ${#BASH_SOURCE[@]} -gt 0 ] && return $failed' ERR\n"
"""A block ends at its first failing command, as with ``set -e``, but the shell and its variables stay."""


@dataclass(frozen=True)
class Ran:
    """How a block ended. ``code`` is None when it was cut off; ``seconds`` are real."""

    code: int | None
    output: str
    seconds: float


class Shell:
    """A context manager; at its end all that the blocks left running in the background is ended too."""

    def __init__(self, folder: Path, environment: Mapping[str, str], timeout: float = BLOCK_TIMEOUT) -> None:
        self._folder, self._environment, self._timeout = folder, dict(environment), timeout
        self._count = 0

    def __enter__(self) -> Self:
        self._blocks = tempfile.TemporaryDirectory(prefix="ground-runbook-")
        self._answers, answer = os.pipe()
        self._answer = answer
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607  # the learner's own bash
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[answer],
            start_new_session=True,
            text=True,
        )
        self._tell(STOP_AT_FAILURE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            assert self._bash.stdin is not None
            self._bash.stdin.close()
        self._end()
        os.close(self._answers)
        os.close(self._answer)
        self._blocks.cleanup()

    def run(self, commands: str) -> Ran:
        """Runs one block to its end. Standard output and error come together, as on a terminal."""
        self._count += 1
        script = Path(self._blocks.name) / f"block-{self._count}.sh"
        printed = script.with_suffix(".out")
        script.write_text(commands + "\n", encoding="utf-8")
        started = time.monotonic()
        streams = f"</dev/null >'{printed}' 2>&1 {self._answer}>&-"
        with suppress(BrokenPipeError):
            self._tell(f"source '{script}' {streams}; echo $? >&{self._answer}\n")
        code = self._wait(started + self._timeout)
        output = printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""
        return Ran(code, output, time.monotonic() - started)

    def _tell(self, line: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(line)
        self._bash.stdin.flush()

    def _wait(self, deadline: float) -> int | None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if selector.select(timeout=0.2):
                    return int(os.read(self._answers, 100))
                if self._bash.poll() is not None:
                    return self._bash.returncode
        return None

    def _end(self) -> None:
        """The session's process group: bash itself and its background jobs, nothing that made a session of its own."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._bash.pid, number)
            deadline = time.monotonic() + END_GRACE
            while time.monotonic() < deadline:
                if self._bash.poll() is not None and not any(map(self._is_running_job, psutil.pids())):
                    return
                time.sleep(0.01)

    def _is_running_job(self, pid: int) -> bool:
        try:
            return os.getpgid(pid) == self._bash.pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return False
