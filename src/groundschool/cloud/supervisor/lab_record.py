"""What a running lab tells those who come later, in its state folder.

``lab.lock`` is held by the supervisor for as long as it lives; ``lab.json`` says who it is and how to reach the lab.
Both are readable by their owner only: the file holds the lab's credentials.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from groundschool.cloud.process_record import ProcessRecord, is_running, read_record
from groundschool.errors import LabError, LabHeld, LabNotRunning

LAB_FILE = "lab.json"
LOCK_FILE = "lab.lock"
LOG_FILE = "lab.log"
SUPERVISOR_RECORD = "supervisor.json"
FOLDERS = ("envoy", "instances", "images", "base-image", "dynamodb")
"""Made by a lab when it starts, and removed with all that is in them when it ends."""


@dataclass(frozen=True)
class LabRecord:
    """Of a lab that is ready."""

    url: str
    dynamodb_url: str
    region: str
    account_id: str
    speed: float
    started_at: str
    """ISO 8601, UTC."""
    access_key_id: str
    secret_access_key: str

    def environment(self) -> dict[str, str]:
        """What makes unmodified AWS clients reach this lab."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def hold(home: Path) -> IO[str]:
    """Takes the lab's lock for this process's life.

    Raises LabHeld naming the pid that has it, LabError for a folder with something in it that a lab would remove.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    strangers = [name for name in FOLDERS if (home / name).exists()]
    if strangers and not (home / LOCK_FILE).exists():
        raise LabError(
            f"{home} has a folder {strangers[0]} that no lab made, and a lab would remove it. "
            "Choose another state folder: GROUND_HOME=.ground ground up"
        )
    lock = (home / LOCK_FILE).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        holder = read_record(home / SUPERVISOR_RECORD)
        who = f"pid {holder.pid}" if holder else "another supervisor"
        raise LabHeld(
            f"A lab is already running in {home} ({who}). Look at it with: ground status. End it with: ground down"
        ) from None
    return lock


def write_lab(home: Path, record: LabRecord) -> None:
    """Atomic: readers see a ready lab or none."""
    partial = home / (LAB_FILE + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(record), file, indent=1)
    partial.replace(home / LAB_FILE)


def supervisor(home: Path) -> ProcessRecord | None:
    """The supervisor that runs now, if any."""
    record = read_record(home / SUPERVISOR_RECORD)
    return record if record is not None and is_running(record) else None


def running_lab(home: Path) -> LabRecord:
    """Raises LabNotRunning."""
    if supervisor(home) is None or not (home / LAB_FILE).exists():
        raise LabNotRunning(f"No lab is running in {home}. Start one with: ground up --detach")
    return LabRecord(**json.loads((home / LAB_FILE).read_text()))
