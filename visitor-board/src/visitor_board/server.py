"""The WSGI server: waitress, with limits on everything a client can send and an orderly end.

Waitress reads requests and writes answers in one thread and hands only complete requests to the workers: a slow
client costs a socket, never a worker.
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from waitress.server import create_server

from visitor_board.event_loop import EventLoop
from visitor_board.guard import MAX_BODY
from visitor_board.settings import SettingError, Settings

IDLE_TIMEOUT = 120
"""Seconds a connection may be idle: above the balancer's 60 s, so that it closes first and loses no request."""
ARRIVAL = 15.0
"""Seconds; a request that takes more than two of these periods to arrive is given up."""
DRAIN = 20.0
"""Seconds requests in flight get after SIGTERM."""
_IN_ONE_PIECE = 256 * 1024
"""Bytes; a smaller answer is sent by the loop when the worker is done with it. By itself waitress sends head and body
from the worker, in two calls that each give the interpreter lock away."""
_LINGER = 0.5
"""Seconds after SIGTERM in which a connection that looks idle is still served: its request may be under way."""


def serve(app: Any, settings: Settings, started: Callable[[int], None]) -> None:
    """Serves until SIGTERM or SIGINT, then accepts nothing new, finishes what was begun and returns.

    ``started(port)`` is called once connections are accepted. Raises SettingError when the address cannot be taken.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # one line per queued request would be the larger load
    loop = EventLoop()
    server = create_server(
        app,
        map=loop,
        sockets=[_listen(settings)],
        threads=settings.threads,
        ident=None,
        channel_timeout=IDLE_TIMEOUT,
        max_request_header_size=16 * 1024,
        max_request_body_size=4 * MAX_BODY,  # above the app's own limit, whose answer is friendlier
        connection_limit=1000,
        clear_untrusted_proxy_headers=False,
    )
    server.adj.send_bytes = _IN_ONE_PIECE  # as an argument, waitress warns that it will once be removed
    stopped: list[float] = []

    def stop(*_: object) -> None:
        stopped.append(time.monotonic())
        server.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    started(server.effective_port)
    late, next_sweep = dict[int, object](), time.monotonic() + ARRIVAL
    while not stopped:
        loop.turn(1.0)
        if time.monotonic() >= next_sweep:
            late, next_sweep = _close_late(server, late), time.monotonic() + ARRIVAL
    _drain(server, loop, stopped[0])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        raise SettingError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}). Set HOST and PORT to a free address."
        ) from error


def _close_late(server: Any, late: dict[int, object]) -> dict[int, object]:
    """Ends connections whose request was already incomplete a period ago; returns those incomplete now."""
    incomplete = {fd: channel.request for fd, channel in list(server.active_channels.items()) if channel.request}
    for fd, request in incomplete.items():
        if late.get(fd) is request:
            server.active_channels[fd].will_close = True
    return incomplete


def _drain(server: Any, loop: EventLoop, since: float) -> None:
    server.accepting = False
    server.del_channel(loop)
    server.socket.close()
    while time.monotonic() < since + DRAIN:
        channels = list(server.active_channels.values())
        busy = any(one.requests or one.request or one.total_outbufs_len for one in channels)
        if not busy and time.monotonic() > since + _LINGER:
            break
        loop.turn(0.05)
    server.task_dispatcher.shutdown(timeout=1)
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    server.trigger.close()
    loop.close()
