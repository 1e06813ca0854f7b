"""The server process: connections, groups of writes, background work, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundschool.dynamodb.background import Expiry, IndexFilling
from groundschool.dynamodb.identity import PolicyFile
from groundschool.dynamodb.protocol.endpoint import Answer, Endpoint, HttpRequest
from groundschool.dynamodb.protocol.http import Connection
from groundschool.dynamodb.storage.database import Database, StoreError
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.throttling import PartitionedCapacity

MAX_HELD_BYTES = 128 * 1024 * 1024
"""Memory for requests that are not complete yet, over all connections."""

_SWEEP_SECONDS = 1.0
_EXPIRY_SECONDS = 0.1
_FILL_SECONDS = 0.02
_NEXT_FILL_SECONDS = 0.001
"""Between two steps of a filling that goes on: requests come first."""
_TOKEN_SWEEP_SECONDS = 60.0
_STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How the server runs; one field per option of its command line."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0 takes a free port."""
    data: Path | None = None
    """The database file; None keeps everything in memory."""
    power_safe: bool = False
    """Make every write survive a power cut, not only the death of the process."""
    account_id: str = "123456789012"
    """The account in ARNs when no policy file names one."""
    policy_file: Path | None = None
    """Who may do what; None takes any credentials."""
    throttle: bool = False
    """Throttle as AWS's partitions and tables do."""


class Server:
    """Serves one store. Requests are answered one at a time; writes that arrive together are committed together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.data, power_safe=settings.power_safe)
        self.store = Store(self._database)
        self._endpoint = Endpoint(
            self.store,
            account_id=settings.account_id,
            wall=time.time,
            policies=PolicyFile(settings.policy_file) if settings.policy_file else None,
            throttle=PartitionedCapacity() if settings.throttle else None,
        )
        self.connections: set[Connection] = set()
        self._held = 0
        self._unsent: list[tuple[Connection, Answer]] = []
        self._listener: asyncio.Server | None = None
        self._stopped = asyncio.Event()

    async def start(self) -> int:
        """Listens; returns the port."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._listener = await loop.create_server(
            lambda: Connection(self, loop.time), self._settings.host, self._settings.port, backlog=1024
        )
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def take(self, connection: Connection, request: HttpRequest) -> None:
        """Part of :class:`~groundschool.dynamodb.protocol.http.Service`."""
        answer = self._endpoint.answer(request)
        if self._unsent or self._database.in_group:
            # What this answer tells may not be durable yet, even if it only read.
            if not self._unsent:
                self._loop.call_soon(self._commit)
            self._unsent.append((connection, answer))
        else:
            self._send(connection, answer)

    def _commit(self) -> None:
        unsent, self._unsent = self._unsent, []
        try:
            self._database.commit()
        except sqlite3.Error as error:
            failed = Answer(500, self._endpoint.storage_failed(error))
            unsent = [(connection, failed) for connection, _ in unsent]
        for connection, answer in unsent:
            self._send(connection, answer)

    def _send(self, connection: Connection, answer: Answer) -> None:
        if answer.delay:
            self._loop.call_later(answer.delay, connection.send, answer)
        else:
            connection.send(answer)

    def may_buffer(self, size: int) -> bool:
        """Part of :class:`~groundschool.dynamodb.protocol.http.Service`."""
        self._held += size
        return self._held <= MAX_HELD_BYTES

    def stop(self) -> None:
        """Ends :meth:`run`; answers that are owed are still sent."""
        self._stopped.set()

    async def run(self) -> None:
        """Serves until :meth:`stop`, then closes everything; the store's file is complete afterwards."""
        tasks = [asyncio.create_task(work) for work in self._background()]
        await self._stopped.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert self._listener is not None
        self._listener.close()
        self._commit()
        for connection in list(self.connections):
            connection.close_when_done()
        deadline = self._loop.time() + _STOP_SECONDS
        while self.connections and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        self._database.close()

    def _background(self) -> list[Coroutine[Any, Any, None]]:
        expiry = Expiry(self.store)
        return [
            self._repeat(_SWEEP_SECONDS, self._expire_connections),
            self._repeat(_EXPIRY_SECONDS, lambda: expiry.step(time.time())),
            self._repeat(_TOKEN_SWEEP_SECONDS, lambda: self.store.forget_old_tokens(time.time())),
            self._repeat(_FILL_SECONDS, IndexFilling(self.store).step),
        ]

    async def _repeat(self, seconds: float, work: Callable[[], bool | None]) -> None:
        """``work`` says whether there is more of it at once."""
        more: bool | None = False
        while True:
            await asyncio.sleep(_NEXT_FILL_SECONDS if more else seconds)
            more = False
            try:
                more = work()
                if self._database.in_group and not self._unsent:
                    self._database.commit()
            except sqlite3.Error as error:
                self._endpoint.storage_failed(error)
            except Exception:
                logger.exception("unforeseen, in background work")

    def _expire_connections(self) -> None:
        now = self._loop.time()
        for connection in list(self.connections):
            connection.expire(now)


def serve(settings: Settings, ready: Callable[[int], None]) -> None:
    """Runs a server until SIGTERM or SIGINT. ``ready`` is called with the port. Raises StoreError."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, ready))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; it does not exist for Windows."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(settings: Settings, ready: Callable[[int], None]) -> None:
    server = Server(settings)
    try:
        port = await server.start()
    except OSError as error:
        raise StoreError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with --port."
        ) from error
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, server.stop)
    ready(port)
    await server.run()
