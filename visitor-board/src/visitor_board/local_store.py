"""The embedded store of ``serve --local``: a child process, gone with the board."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, MutableMapping

from visitor_board.settings import SettingError

_MODULE = "groundschool.dynamodb"
_START = 10.0
"""Seconds the store may take to accept connections."""


@contextlib.contextmanager
def running(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Runs the embedded store on a free loopback port and points the environment at it. Raises SettingError."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        _MODULE,
        "--memory",
        "--die-with-parent",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as store:
        try:
            _wait(store, port)
            environment["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{port}"
            environment.setdefault("AWS_ACCESS_KEY_ID", "local")
            environment.setdefault("AWS_SECRET_ACCESS_KEY", "local")
            yield
        finally:
            store.terminate()


def _wait(store: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + _START
    while time.monotonic() < ends:
        if store.poll() is not None:
            reason = (store.stderr.read() if store.stderr else b"").decode(errors="replace").strip().rpartition("\n")[2]
            raise SettingError(
                f"--local needs the embedded store, which did not start ({reason}). Run: pip install groundschool"
            )
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.02)
    raise SettingError(f"The embedded store does not accept connections after {_START:.0f} s.")
