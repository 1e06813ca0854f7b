"""A shell on a lab of its own, in which a runbook can be played from its first line to its last."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundschool.errors import LabError
from groundschool.runbook.shell import Shell

FOREIGN = ("AWS_", "GROUND_")
"""Variables that would point the commands to another world, or another lab."""

FIRST_PORT, LAST_PORT = 6561, 6661
"""Away from a learner's own lab; a lab takes a port and the next one."""


@contextmanager
def on_stage(speed: float) -> Iterator[Shell]:
    """A new empty folder, a state folder and ports of its own; ``speed`` is AWS seconds per real second.

    The runbook starts the lab by itself; it is taken down in any case.
    """
    with tempfile.TemporaryDirectory(prefix="ground-stage-") as folder:
        home, scene = Path(folder) / "ground", Path(folder) / "here"
        scene.mkdir()
        environment = stage_environment(home, free_port(), speed)
        try:
            with Shell(scene, environment) as shell:
                yield shell
        finally:
            down = [sys.executable, "-m", "groundschool.cli", "down"]
            subprocess.run(down, env=environment, stdout=subprocess.DEVNULL, check=True)


def stage_environment(home: Path, port: int, speed: float) -> dict[str, str]:
    """This process's own, on that lab, with the ``ground`` and ``aws`` of this installation first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
    lab = {"GROUND_HOME": str(home), "GROUND_PORT": str(port), "GROUND_SPEED": f"{speed:g}"}
    return {**kept, **lab, "PATH": path}


def free_port() -> int:
    """A port whose successor is free as well. Raises LabError when there is none."""
    for port in range(FIRST_PORT, LAST_PORT, 2):
        with socket.socket() as endpoint, socket.socket() as store:
            try:
                endpoint.bind(("127.0.0.1", port))
                store.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise LabError(f"No two free ports between {FIRST_PORT} and {LAST_PORT}. End a lab: ground down")
