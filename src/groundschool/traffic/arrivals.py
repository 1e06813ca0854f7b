"""Open loop: when the next request is meant to start. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass

from groundschool.traffic.load_shape import LoadShape


@dataclass
class ArrivalSchedule:
    """Evenly spaced arrivals along a load shape; ``started`` is when the shape's second 0 was."""

    shape: LoadShape
    started: float
    _taken: int = 0
    _carried: float = 0.0

    def next(self) -> float | None:
        """The time of the next arrival; None when the shape has no more."""
        after = self.shape.arrival(self._taken + 1 - self._carried)
        return None if after is None else self.started + after

    def take(self) -> None:
        """The arrival :meth:`next` told of is on its way."""
        self._taken += 1

    def reshape(self, shape: LoadShape, now: float) -> ArrivalSchedule:
        """Goes on with another shape from ``now``; the part of a request that is already due is not forgotten."""
        due = self._carried + self.shape.expected(now - self.started) - self._taken
        return ArrivalSchedule(shape, now, _carried=min(max(due, 0.0), 0.999))
