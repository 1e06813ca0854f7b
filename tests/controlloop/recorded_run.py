"""What a real run's log tells, what it does not tell, and what of it is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from groundschool.controlloop.alarm import AlarmState

from .virtual_group import Load, Setup

ONE_EVALUATION = 60
"""Alarms are evaluated once per minute, and a log does not tell at which second until one has acted."""


def at(clock: str) -> int:
    """``hh:mm:ss`` or ``hh:mm`` as seconds since midnight."""
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return hours * 3600 + minutes * 60 + seconds


def clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


def burn(*spans: tuple[float, float]) -> Load:
    """The n-th oldest instance at 100 % during the n-th span, all else idle: a stress tool started by hand."""
    return lambda now, n, serving: 100.0 if n < len(spans) and spans[n][0] <= now < spans[n][1] else 0.0


def shared(*points: tuple[float, float]) -> Load:
    """A load balanced over all instances: percent of one instance's CPU in total, linear between ``points``."""

    def load(now: float, n: int, serving: int) -> float:
        total = points[0][1] if now <= points[0][0] else points[-1][1]
        for (begin, low), (end, high) in pairwise(points):
            if begin <= now < end:
                total = low + (high - low) * (now - begin) / (end - begin)
        return min(100.0, total / serving)

    return load


class Kind(StrEnum):
    """Where a value that the virtual group needs comes from."""

    ROUGH = "recorded to the minute"
    ASSUMED = "assumed"
    FITTED = "fitted"


@dataclass(frozen=True)
class Value:
    """A value that the log does not give exactly.

    ``uses`` names the observations it was chosen by: they prove nothing any more. ``tried`` are the values that the
    sensitivity and the negative controls try in its place.
    """

    name: str
    used: float
    tried: tuple[float, ...]
    kind: Kind
    uses: tuple[str, ...] = ()
    show: Callable[[float], str] = clock


def minutes_around(moment: str, before: int, after: int) -> tuple[float, ...]:
    return tuple(at(moment) + 60 * n for n in range(-before, after + 1))


@dataclass(frozen=True)
class Change:
    """A change of capacity in the log: a size and a time to compare."""

    at: str
    before: int
    after: int

    @property
    def name(self) -> str:
        return f"{self.before} to {self.after}"


@dataclass(frozen=True)
class AlarmChange:
    """An alarm's transition in the log: a time to compare."""

    at: str
    alarm: str
    state: AlarmState

    @property
    def name(self) -> str:
        return f"{self.alarm.removeprefix('cpu ')} {self.state}"


@dataclass(frozen=True)
class RealRun:
    """``setup`` takes the values in the order of ``values``.

    ``given`` is what the log tells and the group is given; ``gist`` the same in a few words. ``assumed`` is what was
    assumed besides the values.
    """

    name: str
    gist: str
    given: str
    values: tuple[Value, ...]
    setup: Callable[..., Setup]
    begin: str
    end: str
    changes: tuple[Change, ...]
    assumed: tuple[str, ...] = ()
    alarms: tuple[AlarmChange, ...] = ()
    tolerance: int = ONE_EVALUATION
    remarks: tuple[str, ...] = ()

    @property
    def observations(self) -> tuple[str, ...]:
        """All that is compared, by name."""
        sizes = [f"size of {change.name}" for change in self.changes]
        return (*sizes, *(f"time of {event.name}" for event in (*self.changes, *self.alarms)))

    @property
    def predicted(self) -> tuple[str, ...]:
        """The observations that no fitted value was chosen by."""
        used = {name for value in self.values for name in value.uses}
        return tuple(name for name in self.observations if name not in used)

    def named(self, kind: Kind) -> tuple[str, ...]:
        return tuple(value.name for value in self.values if value.kind is kind)
