"""One thread that waits for sockets, timers and ended children."""

from __future__ import annotations

import heapq
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable


class Timer:
    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self._action = None

    def fire(self) -> None:
        if self._action is not None:
            self._action()


class Loop:
    """Calls back in the order things happen; a signal wakes it through a socket pair."""

    def __init__(self, on_terminate: Callable[[], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._children: dict[int, Callable[[int], None]] = {}
        self._running = True
        self._on_terminate = on_terminate
        self._terminate_asked = False
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._note_terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.on_readable(self._wake_reader, self._drain)

    def on_readable(self, source: socket.socket, action: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def forget(self, source: socket.socket) -> None:
        self._selector.unregister(source)

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer(action)
        self._sequence += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._sequence, timer))
        return timer

    def on_exit(self, pid: int, action: Callable[[int], None]) -> None:
        """``action`` gets the exit code; the negative signal number when a signal ended the child."""
        self._children[pid] = action

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        while self._running:
            timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
            for key, _ in self._selector.select(timeout):
                key.data()
            if self._terminate_asked:
                self._terminate_asked = False
                self._on_terminate()
            self._reap()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2].fire()

    def _reap(self) -> None:
        """Also what daemonised: it became a child of this process, the subreaper."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            action = self._children.pop(pid, None)
            if action is not None:
                action(os.waitstatus_to_exitcode(status))

    def _note_terminate(self, *_: object) -> None:
        self._terminate_asked = True

    def _drain(self) -> None:
        try:
            while self._wake_reader.recv(4096):
                pass
        except BlockingIOError:
            pass
