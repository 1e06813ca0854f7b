"""Breaks things and mends them again."""

from __future__ import annotations

from collections.abc import Callable

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.faults.book import EVERY_TABLE, OF_AN_INSTANCE, Fault, FaultBook, FaultKind

LONGEST_DELAY_MILLISECONDS = 60_000.0


class Faults:
    """Called under the lab's lock only.

    ``zones`` are the availability zones there are; ``throttle(on)`` tells the DynamoDB store.
    """

    def __init__(
        self,
        book: FaultBook,
        instances: Instances,
        zones: Callable[[], set[str]],
        throttle: Callable[[bool], None],
        now: Callable[[], float],
    ) -> None:
        self._book = book
        self._instances = instances
        self._zones = zones
        self._throttle = throttle
        self._now = now

    def inject(self, kind: FaultKind, subject: str, milliseconds: float | None = None) -> Fault:
        """Raises AwsError: InvalidInstanceID.NotFound, IncorrectInstanceState, InvalidParameterValue."""
        if kind is FaultKind.THROTTLE_DYNAMODB:
            subject = EVERY_TABLE
        self._require(kind, subject, milliseconds)
        fault = Fault(kind, subject, self._now(), milliseconds if kind is FaultKind.SLOW else None)
        if kind is FaultKind.THROTTLE_DYNAMODB:
            self._throttle(True)
        elif kind is FaultKind.KILL:
            self._instances.get(subject).machine.kill()
        self._book.add(fault)
        self.step()
        return fault

    def clear(self) -> list[Fault]:
        """Ends every fault; what was killed and still is there starts again. Returns what was in force."""
        ended = self._book.active()
        if any(fault.kind is FaultKind.THROTTLE_DYNAMODB for fault in ended):
            self._throttle(False)
        for fault in ended:
            self._book.remove(fault)
        for fault in ended:
            if fault.kind is FaultKind.KILL:
                self._power_up(fault.subject)
        self.step()
        return ended

    def store_restarted(self) -> None:
        """The store keeps its faults in memory."""
        if self._book.has(FaultKind.THROTTLE_DYNAMODB, EVERY_TABLE):
            self._throttle(True)

    def step(self) -> None:
        """Hangs what booted meanwhile in a zone that is out, and ends the faults of what is gone."""
        for fault in self._book.active():
            if fault.kind in OF_AN_INSTANCE and self._is_over(fault):
                self._book.remove(fault)
        for instance in self._instances.live():
            impairment = self._book.impairment(instance.instance_id, instance.subnet.availability_zone)
            instance.machine.hang(impairment.hung)

    def _is_over(self, fault: Fault) -> bool:
        instance = self._instances.find(fault.subject)
        if instance is None or instance.state is State.TERMINATED:
            return True
        started_again = instance.state is State.PENDING and instance.changed_at > fault.since
        return fault.kind is FaultKind.KILL and started_again

    def _power_up(self, instance_id: str) -> None:
        instance = self._instances.find(instance_id)
        if instance is not None and instance.state is State.STOPPED:
            self._instances.start(instance)

    def _require(self, kind: FaultKind, subject: str, milliseconds: float | None) -> None:
        if kind in OF_AN_INSTANCE:
            instance = self._instances.get(subject)
            if instance.state is not State.RUNNING:
                raise AwsError("IncorrectInstanceState", f"{subject} is {instance.state}, not running", 409)
        if kind is FaultKind.AZ_OUTAGE and subject not in self._zones():
            known = ", ".join(sorted(self._zones()))
            raise AwsError("InvalidParameterValue", f"There is no availability zone {subject}. There are: {known}")
        if kind is FaultKind.SLOW and not (milliseconds and 0 < milliseconds <= LONGEST_DELAY_MILLISECONDS):
            raise AwsError("InvalidParameterValue", f"slow needs milliseconds from 1 to {LONGEST_DELAY_MILLISECONDS:g}")
