"""Follows the CPU goal with the load, from observations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from groundschool.traffic.drive_cpu import CpuGoal, Measured, Reason, next_rate, quiet_rate
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.workshop.observation import Observation

ENOUGH = 4
"""Instances in service that prove the scale-out."""

FIRST_RATE = 4.0
RAMP_SECONDS = 1.0
DRAIN_SECONDS = 3.0
"""After a retreat from a backlog the queue is left so long to shrink, before it counts as a backlog again."""

BUSY = CpuGoal()
CLEARLY_ABOVE = 62.0
"""Per cent of CPU at which three minutes in a row are above a target of 50 %, whatever the noise."""

QUIET_PER_CENT = 10.0
"""CPU of one instance that a trickle of visitors costs while the group scales in: nothing may be lost then either."""


class Driver:
    """Turns rate decisions into load: ramps, and judges only CPU that was measured wholly at the present rate."""

    def __init__(self, run: LoadRun) -> None:
        self.run = run
        self.rate = FIRST_RATE
        self._steady_at = datetime.now(UTC)
        self._judged_at: datetime | None = None
        self._best = Measured(FIRST_RATE, None)
        self._instances = 1

    def drive(self, seen: Observation) -> str | None:
        """Follows the goal while the group is small, and gives way to a backlog always; tells when the rate changed.

        A backlog that is not given way to ends in failed health checks, and instances that only were slow are replaced.
        """
        self.remember(seen)
        instances = len(seen.in_service)
        if instances == 0 or datetime.now(UTC) < self._steady_at:
            return None
        decision = next_rate(self._measured(seen), goal_for(instances))
        is_backlog = decision.reason is Reason.BACKLOG
        if decision.rate == self.rate or (seen.desired >= ENOUGH and not is_backlog):
            return None
        old = self._go_to(decision.rate, DRAIN_SECONDS if is_backlog else RAMP_SECONDS)
        return f"Load {old:.0f} -> {decision.rate:.0f} requests/s: {decision.reason}"

    def remember(self, seen: Observation) -> None:
        """Keeps what the present rate costs, for :meth:`quieten`."""
        if seen.cpu is not None and seen.cpu.at >= self._steady_at and seen.in_service:
            self._best, self._instances = Measured(self.rate, seen.cpu.per_cent), len(seen.in_service)

    def quieten(self) -> None:
        """Down to a trickle."""
        self._go_to(max(1.0, min(self.rate, quiet_rate(self._best, self._instances, QUIET_PER_CENT))))

    def _measured(self, seen: Observation) -> Measured:
        latest, cpu = self.run.latest, None
        if seen.cpu is not None and seen.cpu.at >= self._steady_at and seen.cpu.at != self._judged_at:
            self._judged_at, cpu = seen.cpu.at, seen.cpu.per_cent
        return Measured(self.rate, cpu, latest.in_flight + latest.waiting if latest else 0)

    def _go_to(self, rate: float, steady_in: float = RAMP_SECONDS) -> float:
        old, self.rate = self.rate, rate
        self.run.reshape(LoadShape(((0, old), (RAMP_SECONDS, rate)), ends=False))
        self._steady_at = datetime.now(UTC) + timedelta(seconds=steady_in)
        return old


def goal_for(instances: int) -> CpuGoal:
    """The same load at every size of the group, but never so near the target that the alarm cannot decide. Pure."""
    return CpuGoal(per_cent=min(BUSY.per_cent, max(CLEARLY_ABOVE, BUSY.per_cent * 2 / instances)))
