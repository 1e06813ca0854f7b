"""The lab a demo brings up and takes down: by the verbs a learner uses, as processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

from groundschool.cli.world import enter
from groundschool.errors import LabError


class Lab:
    """The lab of this demo: a context manager that takes down what it brought up, and nothing else."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def __enter__(self) -> Self:
        started, interrupted = _to_the_end("up", "--detach", "--speed", f"{self._speed:g}")
        if started != 0:
            # What it had started it has ended itself; a lab that runs now is somebody else's.
            raise LabError("The demo needs a lab of its own and could not start one; the reason is above")
        try:
            if interrupted:
                raise KeyboardInterrupt
            enter()
        except BaseException:
            _to_the_end("down")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _, interrupted = _to_the_end("down")
        if interrupted and error is None:
            raise KeyboardInterrupt

    def build(self) -> None:
        if subprocess.run(_verb("build"), check=False).returncode != 0:
            raise LabError("The workshop could not be built; the reason is above")


def _verb(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "groundschool.cli", *arguments]


def _to_the_end(*arguments: str) -> tuple[int, bool]:
    """Runs a verb that must not be cut off half-way; its exit code, and whether Ctrl-C or SIGTERM came meanwhile.

    The verb gets a session of its own: a terminal sends Ctrl-C to every process of the foreground one.
    """
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in numbers}
    try:
        code = subprocess.Popen(_verb(*arguments), start_new_session=True).wait()
        return code, bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
