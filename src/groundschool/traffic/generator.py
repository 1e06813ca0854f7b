"""The load generator's process: ``python -m groundschool.traffic.generator``.

Speaks JSON lines. In: the settings, then any number of shapes that replace the current one. ``{"stop": true}`` or the
end of the input ends the load, so the process never outlives its parent. Out: ``{"snapshot": ...}`` every second and
``{"report": ...}`` last.

Importing this module patches the whole process for gevent; :mod:`groundschool.traffic.load_run` starts it.
"""

from __future__ import annotations

# Locust first: it patches the standard library for gevent.
from locust.env import Environment  # isort: skip

import json
import logging
import sys
import time
from collections import deque
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import IO, Any

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult, Event  # type: ignore[import-untyped]
from gevent.fileobject import FileObject  # type: ignore[import-untyped]

from groundschool.traffic.arrivals import ArrivalSchedule
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings, Loop, shape_from_json
from groundschool.traffic.tally import LoadReport, Outcome, Snapshot, Tally
from groundschool.traffic.visitor import ScheduledVisitor, ThinkingVisitor, Visitor, settings_of

TELL_EVERY = 1.0
"""Seconds between two snapshots."""

LOOK_EVERY = 0.2
"""Seconds between two looks at the shape in a closed loop, and at an idle schedule in an open one."""


class Generator:
    """One run. It is the visitors' :class:`~groundschool.traffic.visitor.Road` and Locust's listener."""

    def __init__(self, settings: LoadSettings, output: IO[str]) -> None:
        self._settings = settings
        self._output = output
        self._tally = Tally()
        self._shape, self._shaped_at = settings.shape, time.monotonic()
        self._started = self._shaped_at
        self._schedule = ArrivalSchedule(settings.shape, self._started)
        self._over = Event()
        self._waiting: deque[float] = deque()
        self._idle: list[AsyncResult] = []
        self._unfinished = 0
        self._numbers = count(1)
        self._acknowledged = AcknowledgedPosts(settings.acknowledged_file, settings.acknowledged_limit)
        self._visitors = 0
        self._visitor = self._visitor_class()
        environment = Environment(user_classes=[self._visitor], host=settings.base_url)
        environment.stop_timeout = settings.drain_seconds
        environment.events.request.add_listener(self._ended)
        self._runner = environment.create_local_runner()

    def _visitor_class(self) -> type[Visitor]:
        settings = self._settings
        headers = {"User-Agent": "GroundSchool-Load"}
        if settings.host_header:
            headers["Host"] = settings.host_header
        kind = {Loop.OPEN: ScheduledVisitor, Loop.CLOSED: ThinkingVisitor}[settings.loop]
        return settings_of(
            kind,
            road=self,
            think_seconds=settings.think_seconds,
            host=settings.base_url,
            default_headers=headers,
            network_timeout=settings.timeout,
            connection_timeout=settings.timeout,
            concurrency=1,
        )

    def run(self, commands: IO[str]) -> None:
        """Returns when the load is over, the answers are in and the report is written."""
        greenlets = [gevent.spawn(self._listen, commands), gevent.spawn(self._tell)]
        {Loop.OPEN: self._send_on_schedule, Loop.CLOSED: self._keep_users}[self._settings.loop]()
        seconds = time.monotonic() - self._started
        self._drain()
        gevent.killall(greenlets)
        self._acknowledged.close()
        if (last := self._snapshot()).requests:
            self._write(last, "snapshot")
        report = self._tally.report(seconds, self._acknowledged.seen, self._acknowledged.remembered, self._visitors)
        self._write(report, "report")

    # What the parent says and hears.

    def _listen(self, commands: IO[str]) -> None:
        for line in commands:
            command = json.loads(line)
            if "stop" in command:
                break
            self._reshape(shape_from_json(command["shape"]))
        self._over.set()

    def _reshape(self, shape: LoadShape) -> None:
        now = time.monotonic()
        self._schedule = self._schedule.reshape(shape, now)
        self._shape, self._shaped_at = shape, now

    def _tell(self) -> None:
        for second in count(1):
            gevent.sleep(max(0.0, self._started + second * TELL_EVERY - time.monotonic()))
            self._write(self._snapshot(), "snapshot")

    def _snapshot(self) -> Snapshot:
        now = time.monotonic()
        level = self._shape.level(now - self._shaped_at) or 0.0
        waiting = len(self._waiting)
        return self._tally.snapshot(
            now - self._started, level, self._unfinished - waiting, waiting, self._acknowledged.seen
        )

    def _write(self, value: Snapshot | LoadReport, name: str) -> None:
        self._output.write(json.dumps({name: asdict(value)}) + "\n")
        self._output.flush()

    # Open loop.

    def _send_on_schedule(self) -> None:
        while not self._over.is_set():
            due, now = self._schedule.next(), time.monotonic()
            if due is not None and due <= now:
                self._schedule.take()
                self._arrive(due)
            elif due is None and now - self._shaped_at >= self._shape.seconds:
                return
            else:
                self._over.wait(LOOK_EVERY if due is None else min(due - now, LOOK_EVERY))

    def _arrive(self, due: float) -> None:
        self._unfinished += 1
        # Last in, first out: no more connections are opened than the load needs.
        if self._idle:
            self._idle.pop().set(due)
            return
        self._waiting.append(due)
        if self._visitors < self._settings.max_connections:
            self._spawn(1)

    # Closed loop.

    def _keep_users(self) -> None:
        while not self._over.is_set():
            level = self._shape.level(time.monotonic() - self._shaped_at)
            if level is None:
                return
            difference = round(level) - self._runner.user_count
            if difference > 0:
                self._spawn(difference)
            elif difference < 0:
                self._runner.stop_users({self._visitor.__name__: -difference})
            self._over.wait(LOOK_EVERY)

    def _spawn(self, visitors: int) -> None:
        self._visitors += visitors
        self._runner.spawn_users({self._visitor.__name__: visitors})

    # The visitors' road.

    def next_start(self) -> float | None:
        if self._waiting:
            return self._waiting.popleft()
        if self._over.is_set():
            return None
        if self._settings.loop is Loop.CLOSED:
            self._unfinished += 1
            return time.monotonic()
        turn = AsyncResult()
        self._idle.append(turn)
        due: float | None = turn.get()
        return due

    def next_text(self) -> str | None:
        number = next(self._numbers)
        share = self._settings.post_share
        # Evenly mixed instead of drawn, so that the work per request is the same in every second.
        post = int(number * share) > int((number - 1) * share)
        return f"Hello from visitor {number}" if post else None

    def _ended(
        self, request_type: str, response: Any, response_length: int, exception: Any, context: Any, **_: Any
    ) -> None:
        """Locust's request event."""
        self._unfinished -= 1
        instance = response.headers.get("x-served-by") if response.headers is not None else None
        failure = None if exception is None else failure_reason(response.status_code, exception)
        latency = time.monotonic() - context["due"]
        self._tally.count(Outcome(latency, response.status_code, failure, instance, response_length))
        if request_type == "POST" and failure is None:
            self._acknowledged.add(response.content)

    def _drain(self) -> None:
        """Waits for the answers still due; what is unsent or unanswered then has failed."""
        self._over.set()
        deadline = time.monotonic() + self._settings.drain_seconds
        while self._unfinished and time.monotonic() < deadline:
            gevent.sleep(0.01)
        now = time.monotonic()
        for due in self._waiting:
            self._tally.count(Outcome(now - due, 0, "never sent: every connection was busy until the load ended"))
        for _ in range(self._unfinished - len(self._waiting)):
            self._tally.count(Outcome(self._settings.drain_seconds, 0, "unanswered when the load ended"))
        self._waiting.clear()
        self._unfinished = 0


class AcknowledgedPosts:
    """The ids of the posts the board answered with success, a line each, up to a limit."""

    def __init__(self, path: str | None, limit: int) -> None:
        self._limit = limit if path else 0
        self._file = Path(path).open("w", encoding="utf-8") if path else None  # noqa: SIM115 - closed by close()
        self.seen = 0
        self.remembered = 0

    def add(self, body: bytes) -> None:
        self.seen += 1
        message_id = message_id_of(body)
        if self._file and message_id is not None and self.remembered < self._limit:
            self._file.write(f"{message_id}\n")
            self.remembered += 1

    def close(self) -> None:
        if self._file:
            self._file.close()


def message_id_of(body: bytes) -> str | None:
    """The message's ``id`` in the board's answer to a post; None when there is none."""
    try:
        message_id = json.loads(body)["message"]["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(message_id)


def failure_reason(status: int, exception: BaseException) -> str:
    """One short line per kind of failure, the same for every request that failed so."""
    if status:
        return f"HTTP {status}"
    # geventhttpclient wraps some errors as "retries exceeded", after no retry at all.
    cause = getattr(exception, "original", None) or exception
    if isinstance(cause, TimeoutError | gevent.Timeout):
        return "no answer in time"
    return f"{type(cause).__name__}: {cause}"[:120]


def main() -> None:
    logging.getLogger().setLevel(logging.ERROR)
    commands = FileObject(sys.stdin.fileno(), "r", encoding="utf-8", close=False)
    settings = LoadSettings.from_json(json.loads(commands.readline()))
    Generator(settings, sys.stdout).run(commands)


if __name__ == "__main__":
    main()
