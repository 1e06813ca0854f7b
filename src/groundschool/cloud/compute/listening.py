"""Which ports the processes of instances listen on, from the kernel's own list."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_LISTEN = "0A"
_PAUSE_SECONDS = 1.0
_SHARE = 0.02
"""Under load the list has thousands of connections: reading it must not cost more than this part of a core."""


def listening_ports(lines: Iterable[str]) -> dict[str, frozenset[int]]:
    """``/proc/net/tcp`` as address -> ports. Pure."""
    found: dict[str, set[int]] = {}
    for line in lines:
        words = line.split(None, 4)
        if len(words) > 3 and words[3] == _LISTEN:
            address, _, port = words[1].partition(":")
            found.setdefault(_dotted(address), set()).add(int(port, 16))
    return {address: frozenset(ports) for address, ports in found.items()}


def _dotted(address: str) -> str:
    return socket.inet_ntoa(int(address, 16).to_bytes(4, "little"))


class ListeningPorts:
    """Looks again after a second or more. Empty where the kernel has no such list (macOS)."""

    def __init__(self, table: Path = Path("/proc/net/tcp")) -> None:
        self._table = table
        self._due = 0.0
        self._found: Mapping[str, frozenset[int]] = {}

    def now(self) -> Mapping[str, frozenset[int]]:
        begun = time.monotonic()
        if begun >= self._due and self._table.exists():
            with self._table.open() as lines:
                self._found = listening_ports(lines)
            took = time.monotonic() - begun
            self._due = begun + max(_PAUSE_SECONDS, took / _SHARE)
        return self._found
