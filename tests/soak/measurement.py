"""What a lab holds at one moment: memory, descriptors, threads, processes, folders. Reads the operating system only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1024 * 1024


@dataclass(frozen=True)
class Measurement:
    """Of a lab at rest: always the same instances, none starting or ending. Memory in bytes."""

    lab_minutes: float
    ended: int
    """Instances that have been launched and terminated since the start of the soak."""
    resident: int
    """RSS of the supervisor."""
    private: int
    """USS of the supervisor: what would come back if it ended."""
    descriptors: int
    threads: int
    envoy_resident: int
    store_resident: int
    processes: int
    folders: int
    """In the state folder; an instance's counts as one, whatever its user data made inside."""
    control_groups: int
    log_bytes: int
    """Everything below the state folder that is neither an instance's nor the store's."""


def measure(home: Path, lab_minutes: float, ended: int) -> Measurement:
    lab = psutil.Process(json.loads((home / "supervisor.json").read_text())["pid"])
    family = lab.children(recursive=True)
    envoy, store = (_child(home / record) for record in ("envoy/envoy.json", "dynamodb/store.json"))
    memory = lab.memory_full_info()
    return Measurement(
        lab_minutes=lab_minutes,
        ended=ended,
        resident=memory.rss,
        private=memory.uss,
        descriptors=lab.num_fds(),
        threads=lab.num_threads(),
        envoy_resident=envoy.memory_info().rss,
        store_resident=store.memory_info().rss,
        processes=1 + len(family),
        folders=len(_folders(home)),
        control_groups=_control_groups(home),
        log_bytes=sum(path.stat().st_size for path in _own_files(home)),
    )


def _child(record: Path) -> psutil.Process:
    return psutil.Process(json.loads(record.read_text())["pid"])


def _folders(home: Path) -> list[Path]:
    instances = home / "instances"
    return [path for path in home.rglob("*") if path.is_dir() and not path.is_relative_to(instances)] + [
        path for path in instances.iterdir() if path.is_dir()
    ]


def _own_files(home: Path) -> list[Path]:
    others = (home / "instances", home / "dynamodb", home / "base-image")
    return [path for path in home.rglob("*") if path.is_file() and not any(map(path.is_relative_to, others))]


def _control_groups(home: Path) -> int:
    """0 where the governor keeps the quotas."""
    port = json.loads((home / "lab.json").read_text())["url"].rpartition(":")[2]
    return sum(1 for root in Path("/sys/fs/cgroup").glob(f"**/groundschool-{port}") for _ in root.glob("i-*"))
