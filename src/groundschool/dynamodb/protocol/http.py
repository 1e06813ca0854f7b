"""HTTP/1.1 by hand: one connection, its buffer, its limits, its answers.

Only what AWS SDKs use: keep-alive, Content-Length bodies, Expect: 100-continue, pipelining. Everything a client can do
wrong ends in an AWS-shaped error or a closed connection; no client can make the server keep more than its limits.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import time
import zlib
from base64 import b32encode
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

import orjson

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.protocol.endpoint import Answer, HttpRequest

MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
"""AWS: BatchWriteItem: requests up to 16 MB."""

REQUEST_SECONDS = 30.0
"""How long a client may take to send one request, or to take one answer."""

IDLE_SECONDS = 300.0
"""How long a connection may stay open without a request."""

_REASONS = {200: b"OK", 400: b"Bad Request", 408: b"Request Timeout", 413: b"Payload Too Large"}
_REASONS |= {404: b"Not Found", 431: b"Request Header Fields Too Large", 500: b"Internal Server Error"}
_REASONS |= {501: b"Not Implemented", 503: b"Service Unavailable"}
_request_numbers = itertools.count(1)
_request_prefix = b32encode(os.urandom(25)).decode()


class Service(Protocol):
    """What a connection needs of its server."""

    connections: set[Connection]

    def take(self, connection: Connection, request: HttpRequest) -> None:
        """Answers by ``connection.send`` now, or once the group's writes are durable."""

    def may_buffer(self, size: int) -> bool:
        """Whether so many more bytes of unfinished requests fit into memory; negative sizes give back."""


class _Head(NamedTuple):
    method: bytes
    url: bytes
    headers: dict[bytes, bytes]
    body_size: int
    size: int
    """Of head and body together."""


class Connection(asyncio.Protocol):
    """One client. Requests are answered in their order; the next one waits for the answer to this one."""

    def __init__(self, service: Service, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._buffer = b""
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._head: _Head | None = None
        self._waiting_for_answer = False
        self._answers_pile_up = False
        self._closing = False
        self._since = clock()
        self._peer_is_loopback = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer_is_loopback = bool(peer) and ipaddress.ip_address(peer[0]).is_loopback
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        self._service.may_buffer(-self._buffered)
        self._buffered = 0
        self._transport = None

    def pause_writing(self) -> None:
        """The client does not take its answers: nothing more is read or answered until it does."""
        self._answers_pile_up = True
        self._since = self._clock()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._answers_pile_up = False
        if self._transport is not None:
            self._transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._resume)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._waiting_for_answer or self._answers_pile_up or self._buffered:
            self._hold(data)
            self._resume()
            return
        self._since = self._clock()
        self._buffer = data
        self._serve()

    def _hold(self, data: bytes) -> None:
        """Keeps bytes of a request that is not complete, within the server's memory."""
        self._pieces.append(data)
        self._buffered += len(data)
        if self._buffered > MAX_HEAD_BYTES + MAX_BODY_BYTES:
            self._refuse(413, "RequestEntityTooLargeException", "Request entity too large")
        elif not self._service.may_buffer(len(data)):
            self._refuse(503, "ServiceUnavailableException", "Too many unfinished requests are being held")

    def _continue(self) -> None:
        """Goes on once the awaited part of a held request is there; pieces are joined once, not at every packet."""
        if self._head is not None and self._buffered < self._head.size:
            return
        self._service.may_buffer(-self._buffered)
        self._buffer = b"".join(self._pieces)
        self._pieces, self._buffered = [], 0
        self._serve()

    def _serve(self) -> None:
        """Answers the requests in the buffer; what is left of it is held."""
        while self._buffer and not (self._waiting_for_answer or self._answers_pile_up or self._closing):
            head = self._head or self._read_head()
            if head is None:
                break
            if len(self._buffer) < head.size:
                self._head = head
                break
            self._head = None
            body = self._buffer[head.size - head.body_size : head.size]
            self._buffer = self._buffer[head.size :]
            self._dispatch(head, body)
        if self._buffer and not self._closing:
            rest, self._buffer = self._buffer, b""
            self._hold(rest)

    def _read_head(self) -> _Head | None:
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES + 4)
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._refuse(431, "SerializationException", "The request's headers are too large")
            return None
        lines = self._buffer[:end].split(b"\r\n")
        request_line = lines[0].split(b" ")
        if len(request_line) != 3 or not request_line[2].startswith(b"HTTP/1."):
            self._refuse(400, "SerializationException", "This is not HTTP/1.1")
            return None
        headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        return self._checked_head(request_line, headers, end + 4)

    def _checked_head(self, request_line: list[bytes], headers: dict[bytes, bytes], size: int) -> _Head | None:
        length = headers.get(b"content-length", b"0")
        if b"transfer-encoding" in headers:
            self._refuse(501, "SerializationException", "Send Content-Length instead of Transfer-Encoding")
        elif not length.isdigit() or len(length) > 12:
            self._refuse(400, "SerializationException", "Content-Length is not a number")
        elif int(length) > MAX_BODY_BYTES:
            self._refuse(413, "RequestEntityTooLargeException", "Request entity too large")
        else:
            if headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return _Head(request_line[0], request_line[1], headers, int(length), size + int(length))
        return None

    def _dispatch(self, head: _Head, body: bytes) -> None:
        headers = head.headers
        if headers.get(b"connection", b"").lower() == b"close":
            self._closing = True
        host = headers.get(b"host", b"").decode("latin-1")
        if head.method == b"GET":
            self.send(Answer(200, f"healthy: {host} ".encode()))
            return
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip()
        if head.method != b"POST" or (body and content_type not in _CONTENT_TYPES):
            self.send(Answer(404, b"<UnknownOperationException/>\n"))
            return
        self._waiting_for_answer = True
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        self._service.take(
            self,
            HttpRequest(
                head.method,
                head.url,
                target,
                content_type,
                headers.get(b"authorization"),
                host,
                body,
                self._peer_is_loopback,
            ),
        )

    def send(self, answer: Answer) -> None:
        """Writes an answer and goes on with the next request."""
        self._waiting_for_answer = False
        self._since = self._clock()
        transport = self._transport
        if transport is None:
            return
        if len(answer.body) < 65_536:
            transport.write(_head(answer, self._closing) + answer.body)
        else:
            transport.writelines((_head(answer, self._closing), answer.body))
        if self._closing:
            transport.close()
        elif self._pieces:
            # Pipelined requests: not from within this call, or a long pipeline would be a deep recursion.
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        busy = self._waiting_for_answer or self._answers_pile_up or self._closing
        if self._transport is not None and self._pieces and not busy:
            self._continue()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answers what can never become a request, and closes."""
        self._closing = True
        self._buffer = b""
        self.send(Answer(status, orjson.dumps(ApiError(code, message).body())))

    def expire(self, now: float) -> None:
        """Closes the connection when its client took too long."""
        if self._transport is None or self._waiting_for_answer:
            return
        waited = now - self._since
        if self._buffered and waited > REQUEST_SECONDS:
            self._refuse(408, "RequestTimeoutException", "The request was not received in time")
        elif self._transport.get_write_buffer_size() and waited > REQUEST_SECONDS:
            self._transport.abort()
        elif waited > IDLE_SECONDS:
            self._transport.close()

    def close_when_done(self) -> None:
        """Closes now, or after the answer that is still owed."""
        self._closing = True
        if self._transport is not None and not self._waiting_for_answer:
            self._transport.close()


_CONTENT_TYPES = frozenset({b"application/x-amz-json-1.0", b"application/json"})


def _head(answer: Answer, closing: bool) -> bytes:
    return (
        b"HTTP/1.1 %d %b\r\nServer: Server\r\nDate: %b\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"Content-Length: %d\r\nConnection: %b\r\nx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n\r\n"
    ) % (
        answer.status,
        _REASONS[answer.status],
        _date(int(time.time())),
        len(answer.body),
        b"close" if closing else b"keep-alive",
        _request_id(),
        zlib.crc32(answer.body),
    )


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def _request_id() -> bytes:
    """52 characters, as AWS's: random for this process, then counted."""
    return f"{_request_prefix}{next(_request_numbers):012d}".encode()
