"""How much load, when: a value that both the generator and a plan can read. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Self


@dataclass(frozen=True)
class LoadShape:
    """A line through ``(seconds since the start, level)`` points; two points at one time make a step.

    The level is requests per second (open loop) or users (closed loop). After the last point the load is over, or, when
    ``ends`` is False, goes on at the last level.
    """

    points: tuple[tuple[float, float], ...]
    ends: bool = True

    def __post_init__(self) -> None:
        if not self.points or self.points[0][0] != 0:
            raise ValueError("a load shape starts with a point at 0 seconds")
        if any(later < earlier for (earlier, _), (later, _) in pairwise(self.points)):
            raise ValueError("the points of a load shape are in the order of time")
        if any(not math.isfinite(value) or value < 0 for point in self.points for value in point):
            raise ValueError("times and levels of a load shape are finite and not below 0")

    @classmethod
    def constant(cls, level: float, seconds: float | None = None) -> Self:
        """The same level for ``seconds``, or until it is replaced."""
        return cls(((0, level),), ends=False) if seconds is None else cls(((0, level), (seconds, level)))

    @classmethod
    def steps(cls, *steps: tuple[float, float]) -> Self:
        """One step after another, each ``(level, seconds)``."""
        points, at = [], 0.0
        for level, seconds in steps:
            points += [(at, level), (at + seconds, level)]
            at += seconds
        return cls(tuple(points))

    @property
    def seconds(self) -> float:
        """When it is over; infinite when it goes on."""
        return self.points[-1][0] if self.ends else math.inf

    def level(self, at: float) -> float | None:
        """The level ``at`` seconds after the start; None once it is over."""
        if at >= self.seconds:
            return None
        for (start, low), (end, high) in pairwise(self.points):
            if start <= at < end:
                return low + (high - low) * (at - start) / (end - start)
        return self.points[-1][1]

    def expected(self, at: float) -> float:
        """Open loop: how many requests are due in the first ``at`` seconds (not a whole number)."""
        last, level = self.points[-1]
        due = 0.0 if self.ends else max(0.0, at - last) * level
        for (start, low), (end, high) in pairwise(self.points):
            if at > start and end > start:
                passed = min(at, end) - start
                due += low * passed + (high - low) / (end - start) * passed**2 / 2
        return due

    def arrival(self, count: float) -> float | None:
        """Open loop: when :meth:`expected` reaches ``count``; None when it never does."""
        left = count
        for (start, low), (end, high) in pairwise(self.points):
            due = (low + high) / 2 * (end - start)
            if 0 < left <= due:
                # low*x + slope*x²/2 = left, in the form that stays exact when the slope is 0.
                slope = (high - low) / (end - start)
                return start + 2 * left / (low + math.sqrt(max(0.0, low**2 + 2 * slope * left)))
            left -= due
        last, level = self.points[-1]
        return None if self.ends or level == 0 else last + left / level
