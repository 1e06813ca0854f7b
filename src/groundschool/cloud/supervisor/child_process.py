"""A server the lab keeps beside itself: started by record, ended by record, and never outliving the supervisor."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundschool.cloud.compute.spawner import Spawner, Start
from groundschool.cloud.process_record import end, record_process, write_record
from groundschool.errors import LabError

READY_SECONDS = 10.0


class ChildProcess:
    """``address`` is where it listens once it is ready; its output goes to ``<folder>/<role>.log``."""

    def __init__(
        self,
        role: str,
        command: Sequence[str],
        folder: Path,
        address: tuple[str, int],
        spawner: Spawner,
        environment: Mapping[str, str],
    ) -> None:
        self.role = role
        self._command = command
        self._folder = folder
        self._address = address
        self._spawner = spawner
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns at once. Raises OSError when it cannot be started."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / f"{self.role}.log"
        self._process = self._spawner.start(Start(self._command, self._environment, self._folder, log))
        with contextlib.suppress(ProcessLookupError):  # it has ended already: wait_until_ready() says why
            write_record(record_process(self._process.pid, self.role), self._folder / f"{self.role}.json")

    def wait_until_ready(self) -> None:
        """Returns when it accepts connections. Raises LabError with the last line of its log when it does not."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.alive():
            try:
                with socket.create_connection(self._address, timeout=1):
                    return
            except OSError:
                time.sleep(0.01)
        words = (self._folder / f"{self.role}.log").read_text(errors="replace").strip().splitlines()
        raise LabError(f"The {self.role} did not start: {words[-1] if words else 'it said nothing'}")

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Safe to call twice."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            end(record_process(self._process.pid, self.role))
        self._process.wait()
        (self._folder / f"{self.role}.json").unlink(missing_ok=True)
