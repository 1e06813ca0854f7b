"""Who holds a port, in words for a user."""

from __future__ import annotations

import errno
import socket
import time

import psutil

CLOSING_SECONDS = 1.0
"""Real seconds that a listener which nobody seems to hold gets to go: our own Envoy may just be closing it.

They begin after the first search for its holder, which alone can take that long on a busy machine."""


def obstacle(address: str, port: int, ours: int | None) -> str | None:
    """Why nobody can listen there now, as one line; None when it is free, or held by our own process ``ours``."""
    try:
        deadline: float | None = None
        while not _can_bind(address, port):
            holder = _holder(address, port)
            if holder == ours and ours is not None:
                return None
            now = time.monotonic()
            deadline = deadline or now + CLOSING_SECONDS
            if holder is not None or (now >= deadline and not _can_bind(address, port)):
                return f"Port {port} of {address} is taken by {_program(holder)}. Stop it, or choose another port."
            time.sleep(0.01)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return f"This machine has no address {address}. On macOS run: sudo ifconfig lo0 alias {address}"
        if error.errno == errno.EACCES:
            return f"Port {port} of {address} needs more rights than this user has. Choose a port from 1024 up."
        raise
    return None


def _can_bind(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _holder(address: str, port: int) -> int | None:
    holding = [(host, port) for host in (address, "0.0.0.0", "::")]  # noqa: S104 - to find who listens on all
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr) in holding:
            return connection.pid
    return None


def _program(pid: int | None) -> str:
    if pid is None:
        return "a program of another user"
    try:
        return f"pid {pid} ({psutil.Process(pid).name()})"
    except psutil.Error:
        return f"pid {pid}"
