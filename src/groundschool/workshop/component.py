"""What every component of the build order can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from groundschool.workshop.world import World


@dataclass(frozen=True)
class Action:
    """One change that is still to be made: what a dry run prints, and how it is done."""

    says: str
    run: Callable[[], object] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Check:
    """What is there, seen from outside; ``hint`` is None when it is right and ``takeaway`` None while it is not.

    ``there`` is False when nothing of it exists yet: a step not taken is no mistake.
    """

    ok: bool
    found: str
    hint: str | None = None
    takeaway: str | None = None
    there: bool = True


class Component(ABC):
    """One step of the workshop.

    ``plan`` and ``removal`` only read; what they return is what is still to be done, so that a component which is built
    plans nothing and one that is gone removes nothing. ``create`` and ``remove`` are those lists, carried out. All may
    raise botocore's ``ClientError``; :mod:`groundschool.workshop.build_order` turns it into a BuildError.
    """

    number: ClassVar[int]
    session: ClassVar[int]
    name: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    """The design takeaway with its trade-off, in one sentence."""
    depends_on: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def plan(self, world: World) -> list[Action]:
        """What must change for this component to be as designed; empty when it is."""

    @abstractmethod
    def inspect(self, world: World) -> Check:
        """Judges what exists by describe calls and real requests, however it was built."""

    @abstractmethod
    def removal(self, world: World) -> list[Action]:
        """What must go; empty when nothing of it is left. Refuses what lacks the workshop's tag."""

    def wait(self, world: World) -> None:
        """Returns once what ``create`` started is usable; raises BuildError after ``settings.build_timeout``."""
        del world

    def create(self, world: World) -> list[Action]:
        """Carries out the plan, waits, and returns what was done. Doing it twice changes nothing."""
        done = perform(self.plan(world))
        self.wait(world)
        return done

    def check(self, world: World) -> Check:
        """As :meth:`inspect`, with the takeaway once it is right."""
        seen = self.inspect(world)
        return replace(seen, takeaway=self.why if seen.ok else None)

    def remove(self, world: World) -> list[Action]:
        """Removes what carries the workshop's tag, waits until it is gone, and returns what was done."""
        return perform(self.removal(world))


def perform(actions: list[Action]) -> list[Action]:
    """Carries out actions in order."""
    for action in actions:
        action.run()
    return actions


def right(found: str) -> Check:
    return Check(ok=True, found=found)


def wrong(found: str, hint: str) -> Check:
    return Check(ok=False, found=found, hint=hint)


def absent(found: str, hint: str) -> Check:
    return Check(ok=False, found=found, hint=hint, there=False)
