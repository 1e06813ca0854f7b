"""Whether a lab that was measured again and again leaks. Pure.

The first measurement is taken after one whole cycle, when pools and caches are filled. Memory may grow by a tenth from
there. What is counted must not grow at all: no count in the second half of the run may be above all of the first half,
because what leaks once a cycle does it in every cycle.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.soak.measurement import MB, Measurement

LARGEST_GROWTH = 0.10
"""The issue's "flat within 10 %"."""
COUNTED = ("descriptors", "threads", "processes", "folders", "control_groups")
LEAST = 4
"""Measurements: with fewer, the halves say nothing."""


def leaks(measured: Sequence[Measurement], log_limit: int) -> list[str]:
    """A sentence for each; none when the lab is sound. ``log_limit`` in bytes: where the lab's logs are rotated.

    Raises ValueError for fewer than LEAST measurements.
    """
    if len(measured) < LEAST:
        raise ValueError(f"{len(measured)} measurements; a verdict needs {LEAST}")
    return [*_memory(measured), *_counts(measured), *_logs(measured, log_limit)]


def _memory(measured: Sequence[Measurement]) -> list[str]:
    first, most = measured[0].resident, max(each.resident for each in measured)
    if most <= first * (1 + LARGEST_GROWTH):
        return []
    return [f"the supervisor's memory grew from {first / MB:.0f} to {most / MB:.0f} MB"]


def _counts(measured: Sequence[Measurement]) -> list[str]:
    half = (len(measured) + 1) // 2
    found = []
    for name in COUNTED:
        early = max(getattr(each, name) for each in measured[:half])
        late = max(getattr(each, name) for each in measured[half:])
        if late > early:
            found.append(f"{name.replace('_', ' ')} grew from {early} to {late}")
    return found


def _logs(measured: Sequence[Measurement], limit: int) -> list[str]:
    most = max(each.log_bytes for each in measured)
    return [f"the logs have {most / MB:.1f} MB"] if most > limit else []
