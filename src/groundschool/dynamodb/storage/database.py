"""One SQLite database: opened, owned, and written in groups.

Writes of requests that arrive together share one transaction: :meth:`Database.begin` opens it, and the server commits
before any of their answers leave. An answer that was sent is therefore always durable, and a failed commit fails every
request of the group and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from groundschool.errors import GroundError

_PAGE_BYTES = 8192
_CACHE_KIB = 16_384
_LOCK_SECONDS = 1.0


class StoreError(GroundError):
    """The store's file cannot be opened; the message says which and why."""


class Database:
    """Owns the file (or the memory): a second process that opens it is refused.

    ``power_safe`` makes every commit survive a power cut (synchronous=FULL); without it a commit survives the death of
    the process.
    """

    def __init__(self, path: Path | None, *, power_safe: bool = False) -> None:
        self.path = path
        self._on_rollback: list[Callable[[], None]] = []
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=_LOCK_SECONDS,
                isolation_level=None,
                cached_statements=1024,
            )
            self.execute = self._connection.execute
            self._prepare(power_safe)
        except sqlite3.Error as error:
            raise StoreError(_explain(path, error)) from error

    def _prepare(self, power_safe: bool) -> None:
        execute = self.execute
        execute(f"PRAGMA page_size={_PAGE_BYTES}")
        execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        execute("PRAGMA temp_store=MEMORY")
        if self.path is not None:
            execute("PRAGMA locking_mode=EXCLUSIVE")
            execute("PRAGMA journal_mode=WAL")
            execute(f"PRAGMA synchronous={'FULL' if power_safe else 'NORMAL'}")
            # Takes the lock now, so that a second process is told at its start and not at its first write.
            execute("BEGIN EXCLUSIVE")
            execute("CREATE TABLE IF NOT EXISTS groundschool (format INTEGER NOT NULL)")
            execute("COMMIT")

    @property
    def in_group(self) -> bool:
        """Whether a group of writes is open."""
        return self._connection.in_transaction

    def begin(self) -> None:
        """Opens a group if none is open."""
        if not self._connection.in_transaction:
            self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Ends the group. On an error everything in it is undone and the error raised."""
        try:
            if self._connection.in_transaction:
                self.execute("COMMIT")
        except sqlite3.Error:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Undoes the group, and tells everyone who keeps something of it in memory."""
        if self._connection.in_transaction:
            self.execute("ROLLBACK")
        for forget in self._on_rollback:
            forget()

    def on_rollback(self, forget: Callable[[], None]) -> None:
        self._on_rollback.append(forget)

    def close(self) -> None:
        """Commits what is open and closes; the file is complete without its write-ahead log afterwards."""
        self.commit()
        self._connection.close()


def _explain(path: Path | None, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"{path} is in use by another process. Stop it, or choose another file with --data."
    return f"Cannot open {path}: {error}. Check that its folder exists and is writable, or choose another with --data."
