"""CPU quotas by Linux control groups: exact, smooth, and kept by the kernel even when the lab is busy.

Kernel: Documentation/admin-guide/cgroup-v1/cpuacct.rst, cgroup-v2.rst, scheduler/sched-bwc.rst. The lab only ever
writes below a sub-folder of its own, ``groundschool-<lab>``, and removes it.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from groundschool.errors import LabError

PERIOD_MICROSECONDS = 10_000
"""A tenth of the kernel's default: a throttled request waits at most about 10 ms, not 100 ms."""

_SMALLEST_QUOTA_MICROSECONDS = 1_000
"""The kernel refuses less."""

_REMOVE_SECONDS = 2.0


@dataclass(frozen=True)
class ControlGroupTree:
    """Where a lab may make its folder. In v2 both paths are the same."""

    version: int
    cpu: Path
    accounting: Path

    @property
    def kind(self) -> str:
        return f"cgroup v{self.version}"


def find_control_groups(
    mounts: Path = Path("/proc/self/mounts"), membership: Path = Path("/proc/self/cgroup")
) -> Iterator[ControlGroupTree]:
    """Candidates, best first: v1 below our own group, then v2 from our own group up to the root.

    In v2 a group that holds processes cannot give controllers to its children, so the usable one is an ancestor, if any
    is delegated to this user.
    """
    if not (mounts.exists() and membership.exists()):
        return
    mounted = _mounted(mounts.read_text())
    groups = dict(_memberships(membership.read_text()))
    if "cpu" in mounted and "cpuacct" in mounted:
        yield ControlGroupTree(1, _own(mounted["cpu"], groups["cpu"]), _own(mounted["cpuacct"], groups["cpuacct"]))
    if "" in mounted and "" in groups:
        own = _own(mounted[""], groups[""])
        for place in (own, *own.parents):
            if _offers_cpu(place):
                yield ControlGroupTree(2, place, place)
            if place == mounted[""]:
                break


def _mounted(text: str) -> dict[str, Path]:
    """Controller -> mount point; the unified hierarchy under the empty name."""
    found: dict[str, Path] = {}
    for line in text.splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("", Path(place))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, Path(place))
    return found


def _memberships(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, group


def _own(mount: Path, group: str) -> Path:
    """Our own group's folder; in a container the kernel may name one that is not visible here."""
    place = mount / group.lstrip("/")
    return place if place.is_dir() else mount


def _offers_cpu(place: Path) -> bool:
    try:
        return "cpu" in (place / "cgroup.controllers").read_text().split()
    except OSError:
        return False


class ControlGroupBudgets:
    """The budgets of one lab as folders ``groundschool-<lab>/<instance id>``."""

    def __init__(self, tree: ControlGroupTree, lab: str) -> None:
        self.reason = f"CPU quotas by {tree.kind} in {tree.cpu}"
        self._tree = tree
        self._folders = tuple(dict.fromkeys(place / f"groundschool-{lab}" for place in (tree.cpu, tree.accounting)))
        self._budgets: list[ControlGroupBudget] = []
        self._enabled_here = False

    def prove(self) -> None:
        """Tries the whole of it with a throw-away process. Raises OSError or LabError when it does not work."""
        self._prepare()
        budget = self.make("proof")
        probe = subprocess.Popen(["/bin/sleep", "10"], stdin=subprocess.DEVNULL)
        try:
            budget.set_cores(0.1)
            budget.attach(probe.pid)
            budget.used_seconds()
            if probe.pid not in budget.processes():
                raise LabError("the process did not enter the group")
        finally:
            probe.kill()
            probe.wait()
            budget.release()

    def make(self, name: str) -> ControlGroupBudget:
        places = [folder / name for folder in self._folders]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
        budget = ControlGroupBudget(self._tree.version, places[0], places[-1])
        self._budgets.append(budget)
        return budget

    def close(self) -> None:
        for budget in self._budgets:
            budget.release()
        self._budgets.clear()
        for folder in self._folders:
            for leftover in _subfolders(folder):
                _remove(leftover)
            _remove(folder)
        if self._enabled_here:
            self._enabled_here = False
            with contextlib.suppress(OSError):
                (self._tree.cpu / "cgroup.subtree_control").write_text("-cpu")

    def _prepare(self) -> None:
        if self._tree.version == 2:
            control = self._tree.cpu / "cgroup.subtree_control"
            if "cpu" not in control.read_text().split():
                control.write_text("+cpu")
                self._enabled_here = True
        for folder in self._folders:
            folder.mkdir(exist_ok=True)
            # A lab that was killed left its empty groups here; what still runs in them is ended by its record.
            for leftover in _subfolders(folder):
                with contextlib.suppress(OSError):
                    leftover.rmdir()
        if self._tree.version == 2:
            (self._folders[0] / "cgroup.subtree_control").write_text("+cpu")


class ControlGroupBudget:
    """One instance's group; see :class:`~groundschool.cloud.compute.cpu_budget.CpuBudget`."""

    def __init__(self, version: int, cpu: Path, accounting: Path) -> None:
        self._version = version
        self._cpu = cpu
        self._accounting = accounting
        self._last_used = 0.0
        self._last_throttled = 0.0
        self._released = False

    def attach(self, pid: int, interactive: bool = False) -> None:
        for place in dict.fromkeys((self._cpu, self._accounting)):
            (place / "cgroup.procs").write_text(str(pid))

    def set_cores(self, cores: float) -> None:
        quota, period = quota_and_period(cores)
        if self._version == 2:
            (self._cpu / "cpu.max").write_text(f"{quota} {period}")
            return
        # The kernel checks quota against period at each write: lift the quota, set the period, set the quota.
        (self._cpu / "cpu.cfs_quota_us").write_text("-1")
        (self._cpu / "cpu.cfs_period_us").write_text(str(period))
        (self._cpu / "cpu.cfs_quota_us").write_text(str(quota))

    def used_seconds(self) -> float:
        if not self._released:
            if self._version == 2:
                self._last_used = _statistics(self._cpu)["usage_usec"] / 1e6
            else:
                self._last_used = int((self._accounting / "cpuacct.usage").read_text()) / 1e9
        return self._last_used

    def throttled(self) -> float:
        if not self._released:
            found = _statistics(self._cpu)
            self._last_throttled = (
                found.get("throttled_usec", 0) / 1e6 if self._version == 2 else found.get("throttled_time", 0) / 1e9
            )
        return self._last_throttled

    def processes(self) -> list[int]:
        if self._released:
            return []
        return [int(pid) for pid in (self._cpu / "cgroup.procs").read_text().split()]

    def release(self) -> None:
        if self._released:
            return
        self.used_seconds()
        self.throttled()
        self._released = True
        for place in dict.fromkeys((self._cpu, self._accounting)):
            self._let_go(place)
            _remove(place)

    def _let_go(self, place: Path) -> None:
        """A group with processes cannot be removed: hand them back to the lab's parent."""
        if self._version == 2:
            return  # the lab's own folder gives controllers to its children, so it cannot hold processes
        for pid in (place / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (place.parent.parent / "cgroup.procs").write_text(pid)


def quota_and_period(cores: float) -> tuple[int, int]:
    """CFS quota and period in microseconds; small ones get a longer period: the kernel's least quota is 1 ms."""
    period = PERIOD_MICROSECONDS
    while cores * period < _SMALLEST_QUOTA_MICROSECONDS and period < 1_000_000:
        period *= 2
    return max(_SMALLEST_QUOTA_MICROSECONDS, round(cores * period)), period


def _statistics(place: Path) -> dict[str, int]:
    lines = (place / "cpu.stat").read_text().splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def _subfolders(folder: Path) -> list[Path]:
    return [place for place in folder.iterdir() if place.is_dir()] if folder.is_dir() else []


def _remove(folder: Path) -> None:
    """An ended process leaves its group a moment after it is reaped: try until then."""
    deadline = time.monotonic() + _REMOVE_SECONDS
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return  # still held by a process: the next lab of this name clears it
            time.sleep(0.005)
