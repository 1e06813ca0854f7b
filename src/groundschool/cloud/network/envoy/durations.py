"""How lab seconds become Envoy's real seconds. Pure.

Two kinds of time meet in a load balancer, and only one of them can be accelerated:

* A *period* is waiting by agreement (the health-check interval, slow start). It is divided by the speed, as every AWS
  period in the lab is.
* A *time-out* judges work (a health check's answer, a request's). The work is real and does not get faster with the
  clock: at speed 10 a plain division would turn AWS's 5 s health time-out into 0.5 s, and a busy laptop would look like
  a sick fleet. A time-out is therefore divided, but not below :data:`LEAST_REAL_TIMEOUT`, unless AWS's own value is
  shorter.
"""

from __future__ import annotations

LEAST_REAL_TIMEOUT = 2.0
"""Real seconds that real work always gets."""


def real_period(lab_seconds: float, speed: float) -> float:
    """Real seconds of a period."""
    return lab_seconds / speed


def real_timeout(lab_seconds: float, speed: float) -> float:
    """Real seconds of a time-out: ``max(t / speed, min(t, LEAST_REAL_TIMEOUT))``."""
    return max(lab_seconds / speed, min(lab_seconds, LEAST_REAL_TIMEOUT))


def duration(real_seconds: float) -> str:
    """Protobuf's JSON form, at least one millisecond (Envoy refuses 0 where it wants a period)."""
    return f"{max(real_seconds, 0.001):.3f}s"
