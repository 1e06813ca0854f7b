"""The state folder's files: written whole, read as they grow, and kept small."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path


class WatchedFiles:
    """Files that Envoy watches: each alone in its directory and replaced by a rename, so that Envoy sees it whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, bytes] = {}

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Writes what has changed, in the given order."""
        for name, content in contents.items():
            if self._written.get(name) == content:
                continue
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # The new content is made outside the watched directory, so that Envoy is woken once.
            fresh = self._folder / "next.tmp"
            fresh.write_bytes(content)
            # TLS listeners carry a private key.
            fresh.chmod(0o600)
            fresh.replace(path)
            self._written[name] = content


class GrowingLog:
    """A log that another process appends to, read line by line and rotated past ``limit`` bytes.

    ``reopen`` asks the writer to open its path again. Lines are neither lost nor repeated by a rotation: the old file
    is read to its end after the new one has appeared.
    """

    def __init__(self, path: Path, limit: int, reopen: Callable[[], None]) -> None:
        self._path = path
        self._old = path.with_name(path.name + ".old")
        self._limit = limit
        self._reopen = reopen
        self._descriptor: int | None = None
        self._rest = b""
        self._read = 0
        self._rotating = False
        self._closed = False

    def new_lines(self) -> list[bytes]:
        """The complete lines appended since the last call; none after :meth:`close`."""
        if self._closed or (self._descriptor is None and not self._open()):
            return []
        lines = self._take()
        if self._rotating and self._path.exists():
            lines += self._take()
            self._let_go()
            self._old.unlink(missing_ok=True)
            self._open()
            lines += self._take()
        elif not self._rotating and self._read > self._limit:
            self._path.rename(self._old)
            self._rotating = True
            self._reopen()
        return lines

    def close(self) -> None:
        self._let_go()
        self._closed = True

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """Begins anew, without a file."""
        self._let_go()
        self._rest, self._closed = b"", False
        self._path.unlink(missing_ok=True)
        self._old.unlink(missing_ok=True)

    def _open(self) -> bool:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        self._read, self._rotating = 0, False
        return True

    def _take(self) -> list[bytes]:
        if self._descriptor is None:
            return []
        pieces = [self._rest]
        while piece := os.read(self._descriptor, 1 << 20):
            pieces.append(piece)
            self._read += len(piece)
        *lines, self._rest = b"".join(pieces).split(b"\n")
        return lines
