"""What is left of a machine after its init: ended by the instance's own mark, never by a name.

Everything inside carries ``INSTANCE_ROOT=<its folder>`` in its environment, wherever it moved in the process tree.
"""

from __future__ import annotations

import time
from pathlib import Path

from groundschool.cloud.compute.cpu_budget import CpuBudget
from groundschool.cloud.process_record import end, end_processes, processes_with_environment, read_record

INIT_RECORD = "run/init.json"
"""Below the machine's folder: the record of its init."""

_SECONDS_TO_KILL = 10.0


def sweep(root: Path, budget: CpuBudget | None = None) -> bool:
    """Kills what runs inside ``root`` or ``budget`` until nothing does; returns whether there was anything.

    Gives up after 10 real seconds: a process in an uninterruptible wait cannot be killed, and must not hold the lab.
    """
    found = False
    deadline = time.monotonic() + _SECONDS_TO_KILL
    while time.monotonic() < deadline and (
        left := {*(budget.processes() if budget else ()), *processes_with_environment("INSTANCE_ROOT", str(root))}
    ):
        end_processes(left)
        found = True
    return found


def end_leftovers(instances: Path) -> list[str]:
    """Ends the machines whose supervisor was killed; ``instances`` holds their folders. Returns their ids."""
    ended = []
    for root in sorted(place.absolute() for place in instances.glob("i-*") if place.is_dir()):
        record = read_record(root / INIT_RECORD)
        ran = record is not None and end(record, grace=1.0)
        if sweep(root) or ran:
            ended.append(root.name)
        (root / INIT_RECORD).unlink(missing_ok=True)
    return ended
