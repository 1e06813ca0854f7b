"""What a supervisor that was killed left behind: ended by record, never by name."""

from __future__ import annotations

from pathlib import Path

from groundschool.cloud.compute.leftovers import end_leftovers
from groundschool.cloud.process_record import end, read_record

RECORDS = ("dynamodb/store.json", "envoy/envoy.json")


def clear_leftovers(home: Path) -> list[str]:
    """Ends what still runs of an earlier lab in this state folder; returns its roles and instance ids.

    Call it while holding the lab's lock: then nobody else owns these processes.
    """
    ended = end_leftovers(home / "instances")
    for name in RECORDS:
        record = read_record(home / name)
        if record is not None and end(record):
            ended.append(record.role)
        (home / name).unlink(missing_ok=True)
    return ended
