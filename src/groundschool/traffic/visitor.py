"""The users Locust runs: visitors who look at the board and sometimes write on it.

Importing this module patches the whole process for gevent. Only the child process of the generator does so.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar, Protocol

import gevent  # type: ignore[import-untyped]
from geventhttpclient import client as geventhttp
from locust import FastHttpUser, constant, task
from locust.exception import StopUser

# geventhttpclient sends a GET again, unseen, when its connection breaks. Here every broken request is counted.
geventhttp.IDEMPOTENT_METHODS = frozenset()

PAGE = "/"
MESSAGES = "/api/messages"


class Road(Protocol):
    """What a visitor needs of the generator."""

    def next_start(self) -> float | None:
        """Blocks until a request may start; the time it was meant to start. None: the load is over."""

    def next_text(self) -> str | None:
        """The text to post, or None: look at the page."""


class Visitor(FastHttpUser):  # type: ignore[misc]  # Locust is not typed
    """One keep-alive connection with its own cookies."""

    abstract = True
    road: ClassVar[Road]

    @task  # type: ignore[untyped-decorator]
    def visit(self) -> None:
        """One request. Its outcome reaches the generator through Locust's request event."""
        due = self.road.next_start()
        if due is None:
            raise StopUser
        text, context = self.road.next_text(), {"due": due}
        if text is None:
            self.client.get(PAGE, context=context)
        else:
            self.client.post(MESSAGES, json={"text": text}, context=context)


class ScheduledVisitor(Visitor):
    """Open loop: starts when the schedule says so."""

    wait_time = constant(0)


class ThinkingVisitor(Visitor):
    """Closed loop: starts when it has thought."""

    think_seconds: ClassVar[float]

    def wait_time(self) -> float:
        return self.think_seconds * random.uniform(0.5, 1.5)  # noqa: S311 - a pause, not a secret

    def on_start(self) -> None:
        # Users who start together must not stay in step.
        gevent.sleep(self.think_seconds * random.random())  # noqa: S311 - as above


def settings_of(visitor: type[Visitor], **settings: Any) -> type[Visitor]:
    """A visitor with Locust's class settings filled in."""
    return type(visitor.__name__, (visitor,), {"abstract": False, **settings})
