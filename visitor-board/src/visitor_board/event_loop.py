"""Waitress' sockets, watched so that a pass costs what happened in it, not what is open.

Waitress' own loop asks every open connection in Python before every pass: its CPU per request grows with the
connections, and they grow when requests pile up already.
"""

from __future__ import annotations

import selectors
import time
from typing import Any

from waitress import wasyncore

SWEEP = 1.0
"""Seconds between two looks at all connections: waitress marks the ones it gives up, and says so to nobody."""
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class EventLoop(dict[int, Any]):
    """The ``map`` of ``waitress.create_server``: file descriptor -> its listener, trigger or connection.

    Belongs to the thread that calls :meth:`turn`. Workers change a connection only between its request's start and
    end, and wake the loop after that; in between it is *unsettled* and looked at in every turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}
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
        """Waits up to ``timeout`` seconds for something to happen, and lets waitress handle it."""
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            self._unsettled.update(self)
        for fd in tuple(self._unsettled):
            self._settle(fd, self[fd])
        for key, events in self._selector.select(timeout):
            if key.fd in self:
                self._handle(key.fd, self[key.fd], events)

    def close(self) -> None:
        self._selector.close()

    def _handle(self, fd: int, one: Any, events: int) -> None:
        self._unsettled.add(fd)
        if events & _READ:
            if one.readable():
                wasyncore.read(one)
            else:  # the next request came before the answer to this one
                self._watch(fd, self._watched[fd] & ~_READ)
        if events & _WRITE and fd in self:
            wasyncore.write(one)

    def _settle(self, fd: int, one: Any) -> None:
        if _has_to_write(one):
            wasyncore.write(one)  # a socket nearly always takes it at once: no turn to ask whether it would
            if fd not in self:
                return
        wanted = _WRITE if _has_to_write(one) else 0
        if one.readable():
            wanted |= _READ
        elif not wanted:  # a worker has it: nothing is likely to come, so watching on is cheaper than stopping
            wanted = self._watched.get(fd, 0) & _READ
        self._watch(fd, wanted)
        if wanted == _READ and not one.accepting and not getattr(one, "requests", None):
            self._unsettled.discard(fd)

    def _watch(self, fd: int, wanted: int) -> None:
        watched = self._watched.get(fd, 0)
        if wanted == watched:
            return
        if not wanted:
            self._selector.unregister(fd)
        elif not watched:
            self._selector.register(fd, wanted)
        else:
            self._selector.modify(fd, wanted)
        self._watched[fd] = wanted


def _has_to_write(one: Any) -> bool:
    """Not while a worker has written too little to be worth sending: waitress would do nothing, again and again."""
    if one.accepting or not one.writable():
        return False
    closing = one.will_close or one.close_when_flushed
    return closing or not one.requests or one.total_outbufs_len >= one.adj.send_bytes
