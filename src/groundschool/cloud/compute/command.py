"""Commands sent into a machine: SSM's AWS-RunShellScript.

As the SSM agent does, each command has a folder of its own below ``/var/lib/amazon/ssm`` with its script and outputs.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

STDOUT_CHARACTERS, STDERR_CHARACTERS = 24_000, 8_000
"""AWS: SSM GetCommandInvocation, StandardOutputContent and StandardErrorContent; the files have the whole output."""


@dataclass(frozen=True)
class CommandResult:
    exit_code: int | None
    """None: the machine went away first. Negative: ended by that signal."""
    stdout: str
    stderr: str
    timed_out: bool = False


class Commands:
    """The commands of one machine that are under way."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "var/lib/amazon/ssm"
        self._under_way: dict[str, Future[CommandResult]] = {}
        self._guard = threading.Lock()

    def prepare(self, script: str) -> tuple[str, Path, Future[CommandResult]]:
        """Writes the script (``sh`` unless it names its interpreter); returns its id, its folder and its answer."""
        command_id = str(uuid.uuid4())
        place = self._folder / command_id
        place.mkdir(parents=True)
        (place / "script").write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        (place / "script").chmod(0o700)
        answer: Future[CommandResult] = Future()
        answer.set_running_or_notify_cancel()  # it cannot be cancelled from outside any more
        with self._guard:
            self._under_way[command_id] = answer
        return command_id, place, answer

    def finished(self, command_id: str, exit_code: int | None, timed_out: bool = False) -> None:
        with self._guard:
            answer = self._under_way.pop(command_id)
        place = self._folder / command_id
        answer.set_result(
            CommandResult(
                exit_code,
                _first(place / "stdout", STDOUT_CHARACTERS),
                _first(place / "stderr", STDERR_CHARACTERS),
                timed_out,
            )
        )

    def machine_gone(self) -> None:
        """Answers everything that is still under way."""
        for command_id in list(self._under_way):
            self.finished(command_id, None)


def _first(path: Path, characters: int) -> str:
    try:
        with path.open(errors="replace") as output:
            return output.read(characters)
    except OSError:
        return ""
