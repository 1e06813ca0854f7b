"""HTTP connections to one address, kept open: the standard library's, at half the CPU of urllib3's pool."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

CONNECT = 0.5
READ = 1.0
"""Seconds; an answer takes milliseconds, so what takes longer will not come."""
_IDLE = 10.0
"""Seconds a connection may have been idle to be used again: less than any server waits before it closes one."""


class Connections:
    """Posts to one endpoint. Thread-safe: a connection is used by one thread at a time, the latest used first."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = _tls_context() if parts.scheme == "https" else None
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError (time-outs too) and http.client.HTTPException."""
        connection = self._take()
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            data = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))
        return response.status, data

    def _take(self) -> http.client.HTTPConnection:
        while self._idle:
            try:
                used_at, connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if time.monotonic() - used_at < _IDLE:
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=CONNECT)
        )
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock.settimeout(READ)
        return connection

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop()[1].close()


def _tls_context() -> ssl.SSLContext:
    """Verifies against AWS_CA_BUNDLE or botocore's certificates, as boto3 does."""
    from botocore.httpsession import where

    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or where())
