"""One clock for the whole lab: AWS's periods, run faster.

All of the lab reasons in *lab seconds*: seconds since the lab started, multiplied by the speed. A 60 s alarm period is
60 lab seconds at every speed. Only the edges meet real time: a sleep, an Envoy time-out, a timestamp in an AWS answer.
Timestamps are real (SigV4, credential expiry and a learner's ``date`` command all live in real time), so at speed 10
two datapoints of a 60 s period carry timestamps 6 s apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Converts between lab seconds and real time.

    ``speed`` is dimensionless (10 = ten lab seconds pass in one real second). ``monotonic`` and ``wall`` are the real
    clocks in seconds; tests pass their own.
    """

    speed: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    _started: float = field(init=False)
    _started_wall: float = field(init=False)

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed must be above 0, not {self.speed}")
        object.__setattr__(self, "_started", self.monotonic())
        object.__setattr__(self, "_started_wall", self.wall())

    def now(self) -> float:
        """Lab seconds since this clock was made."""
        return (self.monotonic() - self._started) * self.speed

    def real_seconds(self, lab_seconds: float) -> float:
        """How long a span of lab seconds takes in real seconds."""
        return lab_seconds / self.speed

    def wall_time(self, lab_now: float) -> datetime:
        """The real UTC time at which ``now()`` was, or will be, ``lab_now``."""
        return datetime.fromtimestamp(self._started_wall + lab_now / self.speed, UTC)

    def lab_time(self, wall_time: datetime) -> float:
        """The inverse of :meth:`wall_time`; negative for times before the lab started."""
        return (wall_time.timestamp() - self._started_wall) * self.speed
