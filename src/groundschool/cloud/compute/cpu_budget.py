"""The seam between an instance and what holds it to its CPU quota, and the choice of the holder.

An instance type is only worth teaching with when one t3.micro saturates and a second one really adds capacity: the
quota is hard. AWS's t3 would burst on credits first; the lab shows the sustained state, and says so.
"""

from __future__ import annotations

from typing import Protocol

from groundschool.cloud.compute.cgroup import ControlGroupBudgets, find_control_groups
from groundschool.cloud.compute.governor import GovernorBudgets
from groundschool.errors import LabError


class CpuBudget(Protocol):
    """The CPU time of one instance."""

    def attach(self, pid: int, interactive: bool = False) -> None:
        """From now on the process and everything it starts spends from this budget.

        ``interactive``: a person's shell. Where the quota is kept by stopping processes it is left alone, because the
        shell's job control would take every stop for a Ctrl-Z.
        """

    def set_cores(self, cores: float) -> None:
        """The hard quota in host cores; takes effect at once."""

    def used_seconds(self) -> float:
        """CPU seconds spent since the budget was made; never falls."""

    def throttled(self) -> float:
        """Real seconds for which something that wanted to run was held back; never falls."""

    def processes(self) -> list[int]:
        """The pids inside now."""

    def release(self) -> None:
        """Ends the accounting and lets go of every process; safe to call twice."""


class CpuBudgets(Protocol):
    """Makes the budgets of one lab, all of one kind."""

    reason: str
    """One line for the user: which kind, and why."""

    def make(self, name: str) -> CpuBudget:
        """A budget without a quota yet; ``name`` is the instance id."""

    def close(self) -> None:
        """Releases every budget and removes what was set up in the system; safe to call twice."""


def choose_budget(lab: str) -> CpuBudgets:
    """The kernel's own quota where this user may set one, else the governor.

    ``lab`` names the lab's own sub-folder in the control group tree. Every candidate is proven with a throw-away
    process, because permissions, read-only mounts and containers show only when tried.
    """
    refused: list[str] = []
    for candidate in find_control_groups():
        budgets = ControlGroupBudgets(candidate, lab)
        try:
            budgets.prove()
        except (OSError, LabError) as error:
            budgets.close()
            cause = error.strerror if isinstance(error, OSError) else error
            refused.append(f"{candidate.kind} {candidate.cpu}: {cause}")
        else:
            return budgets
    why = refused[0] if refused else "no control groups here"
    return GovernorBudgets(f"CPU quotas by a governor that stops and continues processes ({why})")
