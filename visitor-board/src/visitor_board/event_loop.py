"""Waitress' connections, watched so that a pass of the loop costs what happened in it and not what is open.

Waitress' own loop asks every open connection, in Python, before every pass.
"""

from __future__ import annotations

import selectors
import time
from typing import Any

from waitress import wasyncore

SWEEP = 1.0
"""Seconds between two looks at every connection: waitress marks idle ones for closing without telling."""


class Watched(dict[int, Any]):
    """A map of file descriptors for ``waitress.create_server``; :meth:`turn` is one pass of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._unsettled: set[int] = set()
        self._next_sweep = 0.0

    def __setitem__(self, fd: int, one: Any) -> None:
        super().__setitem__(fd, one)
        self._unsettled.add(fd)

    def __delitem__(self, fd: int) -> None:
        super().__delitem__(fd)
        self._unsettled.discard(fd)
        self._watch(fd, 0)

    def turn(self, timeout: float) -> None:
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            self._unsettled |= self.keys()
        for fd in tuple(self._unsettled):
            self._settle(fd)
        for key, events in self._selector.select(timeout):
            one = self.get(key.fd)
            if one is None:
                continue
            if events & selectors.EVENT_READ:
                if one.readable():
                    wasyncore.read(one)
                else:
                    self._watch(key.fd, key.events & ~selectors.EVENT_READ)
            if events & selectors.EVENT_WRITE:
                wasyncore.write(one)
            if key.fd in self:
                self._unsettled.add(key.fd)

    def _settle(self, fd: int) -> None:
        one = self[fd]
        if one.accepting or not hasattr(one, "requests"):
            self._watch(fd, selectors.EVENT_READ if one.readable() else 0)
            if not one.accepting:
                self._unsettled.discard(fd)
            return
        if one.writable() and (not one.requests or one.total_outbufs_len >= one.adj.send_bytes):
            wasyncore.write(one)
            if fd not in self:
                return
            if one.writable():
                self._watch(fd, selectors.EVENT_WRITE)
                return
        if one.readable():
            self._watch(fd, selectors.EVENT_READ)
            if not one.requests and not one.writable():
                self._unsettled.discard(fd)

    def _watch(self, fd: int, events: int) -> None:
        key = self._selector.get_map().get(fd)
        if key is None:
            if events:
                self._selector.register(fd, events)
        elif not events:
            self._selector.unregister(fd)
        elif key.events != events:
            self._selector.modify(fd, events)
