"""CPU quotas for hosts without control groups: processes that overspend are stopped (SIGSTOP) until they may go on.

A token bucket per instance: ``cores`` CPU seconds flow in per second, up to one burst; what the process tree has used
flows out. Coarser than the kernel's quota (a stop lasts tens of milliseconds), and a process that lives for less than
one tick is charged only when its parent reaps it. The instance's init is charged but never stopped, so that the
instance can always be ended, also when this process is killed: nothing stays stopped.
"""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
import time
from collections.abc import Iterable

import psutil

TICK_SECONDS = 0.01
BURST_SECONDS = 0.02
"""CPU seconds an idle instance may save up: two ticks of the operating system's own accounting (10 ms)."""

_IDLE_TICK_SECONDS = 0.04
"""Reading process times costs the host; what used nothing is read less often."""

_LONGEST_HOLD_SECONDS = 0.25
"""A long debt is held in pieces, so that a raised quota or a release is seen soon."""

_LOOK_FOR_CHILDREN_SECONDS = 0.1
_LOOK_FOR_CHILDREN_OF_IDLE_SECONDS = 1.0
_CHILDREN_ARE_REPORTED = sys.platform == "linux"
"""Linux tells a parent's reaped children's CPU time; elsewhere what vanished is remembered as last seen."""


class GovernorBudgets:
    """The budgets of one lab: one thread for all instances."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._budgets: list[GovernorBudget] = []
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        atexit.register(self.close)

    def make(self, name: str) -> GovernorBudget:
        budget = GovernorBudget()
        with self._guard:
            self._budgets.append(budget)
            if self._thread is None:
                self._thread = threading.Thread(target=self._govern, name="cpu-governor", daemon=True)
                self._thread.start()
        return budget

    def close(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        for budget in self._budgets:
            budget.release()
        atexit.unregister(self.close)

    def _govern(self) -> None:
        try:
            while not self._stopping.wait(TICK_SECONDS):
                with self._guard:
                    self._budgets = [budget for budget in self._budgets if not budget.released]
                    budgets = tuple(self._budgets)
                now = time.monotonic()
                self._look_for_children(budgets, now)
                for budget in budgets:
                    if now >= budget.due:
                        budget.tick(now)
        finally:
            # Also when a defect above ends this thread: a quota that is not kept is better than a frozen instance.
            for budget in self._budgets:
                budget.let_run()

    def _look_for_children(self, budgets: Iterable[GovernorBudget], now: float) -> None:
        due = [budget for budget in budgets if budget.looks_for_children(now)]
        if not due:
            return
        children: dict[int, list[int]] = {}
        for process in psutil.process_iter():  # one pass for all instances; psutil keeps the objects between passes
            with contextlib.suppress(psutil.Error):
                children.setdefault(process.ppid(), []).append(process.pid)
        for budget in due:
            budget.adopt(children, now)


class GovernorBudget:
    """One instance's process tree; see :class:`~groundschool.cloud.compute.cpu_budget.CpuBudget`."""

    def __init__(self) -> None:
        self.released = False
        self.due = 0.0
        """Monotonic time of the next tick."""
        self._pause = TICK_SECONDS
        self._roots: set[int] = set()
        self._members: dict[int, psutil.Process] = {}
        self._spent: dict[int, float] = {}
        self._vanished = 0.0
        self._used = 0.0
        self._charged = 0.0
        self._used_at_look = -1.0
        self._cores: float | None = None
        self._tokens = BURST_SECONDS
        self._ticked = time.monotonic()
        self._looked = 0.0
        self._stopped: dict[int, psutil.Process] = {}
        self._throttled = 0.0
        self._guard = threading.RLock()

    def attach(self, pid: int, interactive: bool = False) -> None:
        if interactive:
            return
        with self._guard, contextlib.suppress(psutil.NoSuchProcess):
            self._roots.add(pid)
            self._members[pid] = psutil.Process(pid)

    def set_cores(self, cores: float) -> None:
        with self._guard:
            self._cores = cores
            self.due = 0.0

    def used_seconds(self) -> float:
        with self._guard:
            self._account()
            return self._used

    def throttled(self) -> float:
        return self._throttled

    def processes(self) -> list[int]:
        with self._guard:
            return [pid for pid, process in self._members.items() if process.is_running()]

    def release(self) -> None:
        with self._guard:
            if not self.released:
                self._account()
                self.released = True
                self.let_run()

    def looks_for_children(self, now: float) -> bool:
        """A stopped tree has no new children, and starting one costs CPU time, so an idle tree is rarely looked at."""
        idle = self._used == self._used_at_look
        pause = _LOOK_FOR_CHILDREN_OF_IDLE_SECONDS if idle else _LOOK_FOR_CHILDREN_SECONDS
        return not self._stopped and now - self._looked >= pause

    def adopt(self, children: dict[int, list[int]], now: float) -> None:
        """Takes in every descendant; ``children`` maps a pid to its children's."""
        with self._guard:
            self._looked, self._used_at_look = now, self._used
            waiting = list(self._members)
            while waiting:
                for pid in children.get(waiting.pop(), ()):
                    if pid not in self._members:
                        with contextlib.suppress(psutil.NoSuchProcess):
                            self._members[pid] = psutil.Process(pid)
                            waiting.append(pid)

    def tick(self, now: float) -> None:
        """Charges what was used since the last tick, then stops or continues."""
        with self._guard:
            if self.released:
                return
            elapsed, self._ticked = now - self._ticked, now
            self._account()
            spent, self._charged = self._used - self._charged, self._used
            self._pause = TICK_SECONDS if spent else min(2 * self._pause, _IDLE_TICK_SECONDS)
            self.due = now + self._pause
            if self._cores is None:
                return
            self._tokens = min(BURST_SECONDS, self._tokens + self._cores * elapsed - spent)
            if self._stopped:
                self._throttled += elapsed
            if self._tokens < 0:
                self._hold()
                # What is stopped spends nothing: no need to look again before the debt is paid.
                self.due = now + min(max(TICK_SECONDS, -self._tokens / self._cores), _LONGEST_HOLD_SECONDS)
            else:
                self.let_run()

    def let_run(self) -> None:
        """Continues what this budget stopped, and only that: what a user stopped stays stopped."""
        with self._guard:
            for process in self._stopped.values():
                with contextlib.suppress(psutil.Error):
                    process.resume()
            self._stopped.clear()

    def _hold(self) -> None:
        for pid, process in self._members.items():
            if pid in self._roots or pid in self._stopped:
                continue
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_STOPPED:
                    process.suspend()
                    self._stopped[pid] = process

    def _account(self) -> None:
        if self.released:
            return
        for pid, process in list(self._members.items()):
            try:
                times = process.cpu_times()
            except psutil.Error:
                del self._members[pid]
                self._stopped.pop(pid, None)
                last = self._spent.pop(pid, 0.0)
                if pid in self._roots or not _CHILDREN_ARE_REPORTED:
                    self._vanished += last
                self._roots.discard(pid)
                continue
            self._spent[pid] = times.user + times.system
            if _CHILDREN_ARE_REPORTED:
                self._spent[pid] += times.children_user + times.children_system
        self._used = max(self._used, self._vanished + sum(self._spent.values()))
