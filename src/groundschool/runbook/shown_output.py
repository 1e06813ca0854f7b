"""Compares what a runbook shows with what was printed. Pure.

Tolerated is what differs from run to run: ids, addresses, host names, times, durations, digests and the width of
columns. Everything else must be equal, line by line; a shown line ``...`` stands for any number of lines.
"""

from __future__ import annotations

import re

ANY_LINES = "..."

TOLERATED = (
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    (r"\b(i|ami|sg|sgr|vpc|subnet|lt|eni|vol|r|eipalloc|snap)-[0-9a-f]{8,17}\b", r"<\1>"),
    (r"\b[0-9a-f]{16,64}\b", "<digest>"),
    (r"\b\d{12}\b", "<account>"),
    (r"\b[\w-]+\.[a-z0-9-]+\.(elb\.localhost|elb\.amazonaws\.com)(:\d+)?", "<load balancer>"),
    (r"\b(?!0\.0\.0\.0)\d{1,3}(\.\d{1,3}){3}\b", "<address>"),
    (r"<address>:\d+", "<address>:<port>"),
    (r"\(\d+(\.\d+)? s\)|\b\d+\.\d+ s\b|\b\d+(\.\d+)? ms\b", "<duration>"),
    (r"[-=+|]{3,}", "---"),
    (r"\s+", " "),
)
"""Pattern and what stands for it, in this order."""

_RULES = tuple((re.compile(pattern), instead) for pattern, instead in TOLERATED)


def normalised(line: str) -> str:
    """The line without what differs from run to run."""
    for pattern, instead in _RULES:
        line = pattern.sub(instead, line)
    return line.strip()


def difference(shown: str, printed: str) -> str | None:
    """None when they agree; otherwise both, as far as they can be told apart, for a person to read."""
    wanted = [normalised(line) for line in shown.strip().splitlines()]
    seen = [normalised(line) for line in printed.strip().splitlines()]
    if _agree(wanted, seen):
        return None
    return "shown:\n" + _indented(wanted) + "\nprinted:\n" + _indented(seen)


def _agree(wanted: list[str], seen: list[str]) -> bool:
    """Segments between ``...`` in order, the first at the beginning and the last at the end."""
    segments: list[list[str]] = [[]]
    for line in wanted:
        if line == ANY_LINES:
            segments.append([])
        else:
            segments[-1].append(line)
    first, *others = segments
    if not others:
        return first == seen
    *middle, last = others
    if seen[: len(first)] != first:
        return False
    at = len(first)
    for segment in middle:
        found = next((n for n in range(at, len(seen) + 1) if seen[n : n + len(segment)] == segment), None)
        if found is None:
            return False
        at = found + len(segment)
    return len(seen) - len(last) >= at and seen[len(seen) - len(last) :] == last


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
