"""What happens when: a seeded sequence of blows. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

PAUSE = (25.0, 55.0)
"""Lab seconds between two blows."""
SMALLEST, LARGEST = 3, 6
"""Desired capacity: a group of one has nobody to take over."""


class Blow(StrEnum):
    KILL = "kill"
    HANG = "hang"
    ZONE_OUTAGE = "az-outage"
    MEND = "clear"
    SCALE = "set-desired-capacity"
    REFRESH = "start-instance-refresh"


WEIGHTS = {Blow.KILL: 3, Blow.HANG: 2, Blow.ZONE_OUTAGE: 1, Blow.MEND: 3, Blow.SCALE: 3, Blow.REFRESH: 1}


@dataclass(frozen=True)
class Event:
    at: float
    """Lab seconds since the start."""
    blow: Blow
    draw: float
    """Between 0 and 1: whom it hits, or to what size."""

    @property
    def capacity(self) -> int:
        return SMALLEST + int(self.draw * (LARGEST - SMALLEST + 1))


def schedule(seed: int, seconds: float) -> Iterator[Event]:
    """Every kind of blow first comes once, in random order, so that no run leaves one out."""
    dice = random.Random(seed)
    first = [*Blow]
    dice.shuffle(first)
    at = dice.uniform(*PAUSE)
    while at < seconds:
        blow = first.pop() if first else dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        yield Event(at, blow, dice.random())
        at += dice.uniform(*PAUSE)
