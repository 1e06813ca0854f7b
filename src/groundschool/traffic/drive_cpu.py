"""Which request rate brings a group's CPU to a goal, by measurement: a page costs another CPU on every machine. Pure.

The caller sends the rate (open loop), measures and asks again. CPU is proportional to the rate until it saturates, so
the next rate is the measured one times ``goal / CPU``, in bounded steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    NO_DATA = "no CPU measured at this rate yet"
    BELOW_GOAL = "CPU is below the goal"
    AT_GOAL = "CPU is at the goal"
    ABOVE_GOAL = "CPU is above the goal"
    SATURATED = "CPU is saturated: what the load really needs is not visible"
    BACKLOG = "requests pile up: the instances are slower than the load"


@dataclass(frozen=True)
class CpuGoal:
    """Per cent of the group's CPU, and how fast to get there.

    The default goal of 80 % lies where target tracking at 50 % doubles two instances (``ceil(2 x 80 / 50) = 4``, from
    76 % on), and where four of them then stay below the target. ``biggest_step`` bounds a rise, because the CPU of a
    first, small rate is mostly noise. ``backlog_seconds``: a rate whose unfinished requests are worth more than so many
    seconds is too high.
    """

    per_cent: float = 80.0
    tolerance: float = 4.0
    saturated: float = 97.0
    biggest_step: float = 2.5
    retreat: float = 0.75
    backlog_seconds: float = 1.5


@dataclass(frozen=True)
class Measured:
    """``cpu``: per cent over a period that lies wholly within ``rate`` (requests per second); None before one ended.

    ``unfinished``: requests sent or due, and not answered.
    """

    rate: float
    cpu: float | None
    unfinished: int = 0


@dataclass(frozen=True)
class RateDecision:
    """The rate to send from now on, in requests per second."""

    rate: float
    reason: Reason


def next_rate(measured: Measured, goal: CpuGoal = CpuGoal()) -> RateDecision:
    """Never above what the measurement explains; a backlog goes first, because failures follow it."""
    rate, cpu = measured.rate, measured.cpu
    if measured.unfinished > max(10.0, rate * goal.backlog_seconds):
        return RateDecision(rate * goal.retreat, Reason.BACKLOG)
    if cpu is None:
        return RateDecision(rate, Reason.NO_DATA)
    if cpu >= goal.saturated:
        return RateDecision(rate * goal.retreat, Reason.SATURATED)
    if abs(cpu - goal.per_cent) <= goal.tolerance:
        return RateDecision(rate, Reason.AT_GOAL)
    step = min(goal.per_cent / max(cpu, 1.0), goal.biggest_step)
    return RateDecision(rate * step, Reason.BELOW_GOAL if step > 1 else Reason.ABOVE_GOAL)


def quiet_rate(measured: Measured, instances: int, per_cent: float) -> float:
    """The rate that keeps *one* instance at ``per_cent`` CPU, from what ``instances`` used at the measured rate."""
    if not measured.cpu:
        return measured.rate
    return measured.rate * per_cent / (measured.cpu * instances)
