"""The HTTP server of the front door: waitress, on loopback."""

from __future__ import annotations

import threading
from typing import Any

from waitress.server import create_server

from groundschool.cloud.front_door.application import OBJECT_LIMIT
from groundschool.errors import LabError

THREADS = 8
"""Most of the work happens under the lab's one lock; more threads would only wait in line."""


class FrontDoorServer:
    def __init__(self, application: Any, port: int) -> None:
        self._application = application
        self._port = port
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Returns when it listens. Raises LabError when it cannot."""
        try:
            self._server = create_server(
                self._application,
                host="127.0.0.1",
                port=self._port,
                threads=THREADS,
                ident="GroundSchool",
                clear_untrusted_proxy_headers=True,
                max_request_body_size=OBJECT_LIMIT,
                channel_timeout=120,
            )
        except OSError as error:
            raise LabError(f"The AWS endpoint cannot listen on port {self._port}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.run, name="front door", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Safe to call twice."""
        if self._server is None:
            return
        self._server.close()
        self._server.task_dispatcher.shutdown()
        assert self._thread is not None
        self._thread.join(timeout=5)
        self._server = None
