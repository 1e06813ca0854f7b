"""Which faults are in force, and what they mean for one instance or zone. No effects here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    KILL = "kill"
    """An instance loses power: everything in it ends at once. In force until it runs again, or is terminated."""
    HANG = "hang"
    """An instance's processes stop where they are: connections are accepted and never answered."""
    SLOW = "slow"
    """Every HTTP request to an instance waits first."""
    AZ_OUTAGE = "az-outage"
    """A zone's instances lose network and power, and nothing can be launched there."""
    THROTTLE_DYNAMODB = "throttle-dynamodb"
    """Every read and write of items is answered with ThrottlingException."""
    FAIL_HEALTH = "fail-health"
    """Load balancers' health checks of an instance get 503, while its traffic passes."""


OF_AN_INSTANCE = frozenset({FaultKind.KILL, FaultKind.HANG, FaultKind.SLOW, FaultKind.FAIL_HEALTH})
EVERY_TABLE = "every table"
"""The subject of :attr:`FaultKind.THROTTLE_DYNAMODB`."""


@dataclass(frozen=True)
class Fault:
    kind: FaultKind
    subject: str
    """An instance id, an availability zone, or :data:`EVERY_TABLE`."""
    since: float
    """Lab seconds."""
    milliseconds: float | None = None
    """Real milliseconds; only of :attr:`FaultKind.SLOW`."""


@dataclass(frozen=True)
class Impairment:
    """All faults together, as one instance suffers them."""

    hung: bool = False
    cut_off: bool = False
    """Nobody reaches it: connections hang."""
    delay: float = 0.0
    """Real seconds for every request to it."""
    fails_health_checks: bool = False


NO_IMPAIRMENT = Impairment()


class FaultBook:
    """Changed under the lab's lock only."""

    def __init__(self) -> None:
        self._faults: dict[tuple[FaultKind, str], Fault] = {}

    def add(self, fault: Fault) -> None:
        """Replaces an earlier fault of the same kind on the same subject."""
        self._faults[fault.kind, fault.subject] = fault

    def remove(self, fault: Fault) -> None:
        self._faults.pop((fault.kind, fault.subject), None)

    def active(self) -> list[Fault]:
        """In the order in which they began."""
        return sorted(self._faults.values(), key=lambda fault: fault.since)

    def has(self, kind: FaultKind, subject: str) -> bool:
        return (kind, subject) in self._faults

    def zone_is_out(self, zone: str) -> bool:
        return self.has(FaultKind.AZ_OUTAGE, zone)

    def impairment(self, instance_id: str, zone: str) -> Impairment:
        slow = self._faults.get((FaultKind.SLOW, instance_id))
        out = self.zone_is_out(zone)
        return Impairment(
            hung=out or self.has(FaultKind.HANG, instance_id),
            cut_off=out,
            delay=slow.milliseconds / 1000 if slow and slow.milliseconds else 0.0,
            fails_health_checks=self.has(FaultKind.FAIL_HEALTH, instance_id),
        )
