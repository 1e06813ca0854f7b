"""HTTP connections to one address, kept open, their answers parsed by llhttp.

The standard library reads an answer's headers with its parser for mail, a seventh of a page's CPU.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

CONNECT = 0.5
READ = 1.0
"""Seconds; an answer takes milliseconds, so what takes longer will not come."""
_IDLE = 10.0
"""Seconds a connection may have been idle to be used again: less than any server waits before it closes one."""
_CHUNK = 1 << 18


class Connections:
    """Posts to one endpoint. Thread-safe: a connection is used by one thread at a time, the latest used first."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._tls = _tls_context() if parts.scheme == "https" else None
        usual = 443 if self._tls else 80
        self._host, self._port = parts.hostname or "", parts.port or usual
        named = f"[{self._host}]" if ":" in self._host else self._host
        if self._port != usual:
            named += f":{self._port}"
        self._start = f"POST / HTTP/1.1\r\nHost: {named}\r\n"
        self._idle: deque[tuple[float, socket.socket]] = deque()

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError (time-outs too)."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{self._start}{lines}Content-Length: {len(body)}\r\n\r\n"
        connection = self._take()
        try:
            connection.sendall(head.encode("latin-1") + body)
            answer = _Answer()
            while not answer.complete:
                answer.feed(connection.recv(_CHUNK))
        except BaseException:
            connection.close()
            raise
        if answer.keep_alive:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()
        return answer.status, answer.body

    def _take(self) -> socket.socket:
        while self._idle:
            try:
                used_at, connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if time.monotonic() - used_at < _IDLE:
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), timeout=CONNECT)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_hostname=self._host)
        except BaseException:
            connection.close()
            raise
        connection.settimeout(READ)
        return connection

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop()[1].close()


class _Answer:
    """What llhttp has found so far; it calls the methods that begin with ``on_``."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.status, self.body = 0, b""
        self.complete = self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Raises ConnectionError when that was no answer, or the connection ended before the answer did."""
        if not data:
            raise ConnectionResetError("the connection was closed before the answer's end")
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise ConnectionAbortedError(f"not HTTP: {error}") from error

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.status, self.keep_alive = self._parser.get_status_code(), self._parser.should_keep_alive()
        if self.status < 200:  # "100 Continue": the answer is still to come
            return
        self.complete = True
        del self._parser  # it refers to this object: only the garbage collector would free the two


def _tls_context() -> ssl.SSLContext:
    """Verifies against AWS_CA_BUNDLE or botocore's certificates, as boto3 does."""
    from botocore.httpsession import where

    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or where())
