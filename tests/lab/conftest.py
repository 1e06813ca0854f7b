"""A real lab as a user starts it: by its command line, in a state folder and on ports of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest


def reserve_lab_port() -> tuple[int, int]:
    """A port whose successor is free too, and the lock that keeps it; far from the default, for a developer's own lab.

    Two test runs at once would find the same ports free: the lock file makes the choice one's own.
    """
    for port in range(5061, 5301, 2):
        lock = os.open(
            Path(tempfile.gettempdir()) / f"ground-school-test-lab-{port}.lock", os.O_CREAT | os.O_RDWR, 0o666
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as one, socket.socket() as two:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
        except OSError:
            os.close(lock)
            continue
        return port, lock
    raise AssertionError("no free port for a lab")


class Ground:
    """The ``ground`` command with a state folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, lock = reserve_lab_port()
        weakref.finalize(self, os.close, lock)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GROUND_"))}
        self.environment = {**kept, "GROUND_HOME": str(home), "GROUND_PORT": str(self.port)}

    def __call__(self, *words: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "groundschool.cli", *words],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """In the background, its output piped."""
        return subprocess.Popen(
            [sys.executable, "-m", "groundschool.cli", *words],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def aws(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The AWS command line as ``eval "$(ground env)"`` leaves it."""
        line = f'eval "$("{sys.executable}" -m groundschool.cli env)"; exec "{Path(sys.executable).parent}/aws" "$@"'
        return subprocess.run(
            ["/bin/bash", "-c", line, "aws", *words],
            env={**self.environment, "AWS_PAGER": ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def processes(self) -> list[str]:
        """Everything alive that names this lab's state folder: in its command, its folder or its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), process.cwd(), *process.environ().values()]
            except (psutil.Error, OSError):
                continue
            if process.pid != os.getpid() and any(str(self.home) in word for word in words):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    command = Ground(tmp_path / "ground")
    yield command
    command("down")
    for line in command.processes():
        os.kill(int(line.split()[0]), signal.SIGKILL)
