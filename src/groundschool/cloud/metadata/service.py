"""The metadata service's sockets: one per instance, so that the local address says who asks.

One thread waits on all of them, a small pool answers. Every answer closes its connection: an idle client must not
hold a worker. AWS's address 169.254.169.254 cannot exist on a laptop; SDKs follow AWS_EC2_METADATA_SERVICE_ENDPOINT.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from groundschool.cloud.metadata.identity import InstanceIdentity, RoleCredentials
from groundschool.cloud.metadata.request import MetadataRequest
from groundschool.cloud.metadata.session_token import SessionTokens
from groundschool.errors import LabError

PORT = 1338
_LOG = logging.getLogger(__name__)
_WORKERS = 16

Identity = Callable[[str], InstanceIdentity | None]
Credentials = Callable[[str], RoleCredentials | None]


@dataclass(eq=False)
class _Endpoint:
    instance_id: str
    listener: socket.socket
    tokens: SessionTokens = field(default_factory=SessionTokens)


class MetadataService:
    """``identity`` and ``credentials`` are asked at each request, on a worker thread; None means 404."""

    def __init__(self, identity: Identity, credentials: Credentials, port: int = PORT) -> None:
        self._identity = identity
        self._credentials = credentials
        self._port = port
        self._endpoints: dict[str, _Endpoint] = {}
        self._guard = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="metadata")
        self._running = True
        self._thread = threading.Thread(target=self._accept, name="metadata", daemon=True)
        self._thread.start()

    def open(self, instance_id: str, address: str) -> str:
        """Listens for one instance on its inner address and returns its endpoint URL; open already: the same URL.

        Raises LabError when the port is taken.
        """
        with self._guard:
            if instance_id not in self._endpoints:
                endpoint = _Endpoint(instance_id, _listen(address, self._port))
                self._endpoints[instance_id] = endpoint
                self._selector.register(endpoint.listener, selectors.EVENT_READ, endpoint)
                self._wake_writer.send(b".")
        return f"http://{address}:{self._port}/"

    def close(self, instance_id: str) -> None:
        """Stops listening for the instance and forgets its tokens; safe to call twice."""
        with self._guard:
            endpoint = self._endpoints.pop(instance_id, None)
            if endpoint is not None:
                self._selector.unregister(endpoint.listener)
                endpoint.listener.close()

    def stop(self) -> None:
        """Closes everything; safe to call twice."""
        if not self._running:
            return
        self._running = False
        self._wake_writer.send(b".")
        self._thread.join()
        self._workers.shutdown()
        for instance_id in list(self._endpoints):
            self.close(instance_id)
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def _accept(self) -> None:
        while self._running:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._wake_reader.recv(64)
                    continue
                with contextlib.suppress(OSError):  # closed, or the client left, between select and accept
                    connection, _ = key.data.listener.accept()
                    self._workers.submit(self._answer, connection, key.data)

    def _answer(self, connection: socket.socket, endpoint: _Endpoint) -> None:
        try:
            with connection:
                MetadataRequest(
                    connection,
                    endpoint.tokens,
                    lambda: self._identity(endpoint.instance_id),
                    lambda: self._credentials(endpoint.instance_id),
                )
        except OSError:
            pass  # the client left
        except Exception:
            _LOG.exception("the metadata service could not answer %s", endpoint.instance_id)


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        reason = f"{error.strerror}. Choose another metadata port or end what listens there."
        raise LabError(f"The metadata service cannot listen on {address}:{port}: {reason}") from None
    return listener
