"""How step and simple scaling policies change a capacity.

Pure. AWS: EC2 Auto Scaling user guide, "Scaling adjustment types".
"""

from __future__ import annotations

import math
from enum import StrEnum


class AdjustmentType(StrEnum):
    """AWS: ``AdjustmentType``."""

    CHANGE = "ChangeInCapacity"
    EXACT = "ExactCapacity"
    PERCENT = "PercentChangeInCapacity"


def adjusted(current: int, kind: AdjustmentType, adjustment: int, min_magnitude: int | None = None) -> int:
    """``current`` after the adjustment, not yet clamped to minimum and maximum.

    A percentage changes the capacity by a whole number: above 1 rounded down, between 0 and 1 to 1, between -1 and 0
    to -1, below -1 towards zero; then by at least ``min_magnitude`` (which only percentages have).
    """
    if kind is AdjustmentType.EXACT:
        return adjustment
    if kind is AdjustmentType.CHANGE:
        return current + adjustment
    # Multiplied before divided: 29 * (100 / 100) and the like must not lose an instance to a float.
    change = current * adjustment / 100
    size = max(math.floor(abs(change)), 1, min_magnitude or 0) if change else 0
    return current + int(math.copysign(size, change))
