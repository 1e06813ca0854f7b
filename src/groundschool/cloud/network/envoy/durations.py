"""How lab seconds become Envoy's real seconds. Pure.

Two kinds of time meet in a load balancer, and only one of them can be accelerated:

* A *period* is waiting by agreement (the health-check interval, slow start). It is divided by the speed, as every AWS
  period in the lab is.
* A *time-out* judges work (a health check's answer, a request's). The work is real and does not get faster with the
  clock, so a time-out is AWS's own value in real seconds at every speed. It was divided once, down to 2 s: on a laptop
  that was busy with other things healthy instances then failed their checks, were replaced, and their replacements'
  boots made the laptop busier still.
"""

from __future__ import annotations


def real_period(lab_seconds: float, speed: float) -> float:
    """Real seconds of a period."""
    return lab_seconds / speed


def real_timeout(seconds: float, speed: float) -> float:
    """Real seconds of a time-out: never divided, and stretched in a lab that runs slower than AWS."""
    return max(seconds, seconds / speed)


def duration(real_seconds: float) -> str:
    """Protobuf's JSON form, at least one millisecond (Envoy refuses 0 where it wants a period)."""
    return f"{max(real_seconds, 0.001):.3f}s"
