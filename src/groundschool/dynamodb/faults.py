"""Faults on purpose: latency, throttling and failures, for experiments with retries and time-outs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from groundschool.dynamodb.api_error import ApiError, validation

TARGET = "GroundSchool.SetFault"
"""The request target of the switch; its input is ``{"Faults": [{...}]}`` and replaces all faults."""


@dataclass(frozen=True)
class Fault:
    """What to do to the requests it is for. Fractions are between 0 and 1."""

    operation: str = "*"
    """An operation's name, or ``*``."""
    table: str = "*"
    """A table's name, or ``*``."""
    latency_seconds: float = 0.0
    """Added before the answer leaves; the work itself is done at once."""
    throttle_fraction: float = 0.0
    """Answered with ThrottlingException; nothing is done."""
    fail_fraction: float = 0.0
    """Answered with InternalServerError; nothing is done."""

    def concerns(self, operation: str, table: str | None) -> bool:
        return self.operation in ("*", operation) and self.table in ("*", table)


class Faults:
    """The faults in force. ``dice`` gives numbers from 0 to below 1."""

    def __init__(self, dice: Callable[[], float] = random.random) -> None:
        self._dice = dice
        self._faults: tuple[Fault, ...] = ()

    def replace(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the input of the switch; answers with the faults now in force. Raises ValidationException."""
        try:
            faults = tuple(Fault(**fault) for fault in params["Faults"])
        except (KeyError, TypeError) as error:
            raise validation(f"Faults must be a list of {list(asdict(Fault()))}: {error}") from None
        for fault in faults:
            _check(fault)
        self._faults = faults
        return {"Faults": [asdict(fault) for fault in faults]}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(self, operation: str, table: str | None) -> float:
        """Seconds to hold the answer back. Raises the error to answer with instead."""
        delay = 0.0
        for fault in self._faults:
            if fault.concerns(operation, table):
                delay += fault.latency_seconds
                if self._dice() < fault.fail_fraction:
                    raise ApiError("InternalServerError", "Internal server error (a fault set on purpose)", 500)
                if self._dice() < fault.throttle_fraction:
                    raise ApiError("ThrottlingException", "Rate exceeded (a fault set on purpose)")
        return delay


def _check(fault: Fault) -> None:
    numbers = (fault.latency_seconds, fault.throttle_fraction, fault.fail_fraction)
    if not all(isinstance(number, (int, float)) for number in numbers):
        raise validation("latency_seconds, throttle_fraction and fail_fraction must be numbers")
    if fault.latency_seconds < 0 or not all(0 <= number <= 1 for number in numbers[1:]):
        raise validation("latency_seconds must not be negative, fractions must be between 0 and 1")
