"""The lab's DynamoDB store: a process beside the supervisor, on the lab's own data and policy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from groundschool.cloud.compute.spawner import Spawner
from groundschool.cloud.supervisor.child_process import ChildProcess


def store_process(port: int, folder: Path, spawner: Spawner) -> ChildProcess:
    """Not started yet. Everything it writes is in ``folder``."""
    command = [sys.executable, "-m", "groundschool.dynamodb", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--data", str(folder / "store.sqlite")]
    command += ["--policy-file", str(folder / "policy.json"), "--die-with-parent"]
    environment = {"PATH": os.environ.get("PATH", "")}
    return ChildProcess("store", command, folder, ("127.0.0.1", port), spawner, environment)
