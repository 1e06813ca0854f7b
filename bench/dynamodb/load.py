"""A closed-loop load generator for the JSON protocol: ready-made requests over a few connections, nothing parsed.

The client must cost far less than the server it measures: requests are bytes made beforehand, answers are only counted
and looked at for their status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import orjson
import uvloop

_HEAD = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nUser-Agent: Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux\r\n"
    "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-north-1/"
    "dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={zeros}\r\n"
    "amz-sdk-invocation-id: 00000000-0000-0000-0000-000000000000\r\namz-sdk-request: attempt=1\r\n"
    "Content-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True)
class Measured:
    """Requests answered with 200, in how many seconds, and their median and 99th-percentile latency in seconds."""

    requests: int
    seconds: float
    median: float
    p99: float
    failures: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def request(port: int, operation: str, body: dict[str, object]) -> bytes:
    """The bytes of one signed-looking request."""
    content = orjson.dumps(body)
    head = _HEAD.format(port=port, operation=operation, length=len(content), zeros="0" * 64)
    return head.encode() + content


class _Client(asyncio.Protocol):
    """One connection, made anew when the server closes it after an answer (moto's does)."""

    def __init__(self, port: int, make: Callable[[], bytes], until: float, latencies: list[float]) -> None:
        self._port = port
        self._make = make
        self._until = until
        self._latencies = latencies
        self.failures = 0
        self.done = asyncio.get_running_loop().create_future()
        self._answer = b""
        self._size = 0
        self._closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._answer = self._answer + data if self._answer else data
        if not self._size:
            end = self._answer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._answer[:end].lower()
            self._closes = b"\r\nconnection: close" in head
            self._size = end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._answer) < self._size:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        self.failures += self._answer[9:12] != b"200"
        self._answer, self._size = b"", 0
        if now >= self._until:
            self.done.set_result(None)
            self._transport.close()
        elif self._closes:
            self._transport.abort()
            loop = asyncio.get_running_loop()
            self._again = loop.create_task(loop.create_connection(lambda: self, "127.0.0.1", self._port))
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done() and not self._closes:
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


def measure(port: int, make: Callable[[], bytes], *, clients: int, seconds: float) -> Measured:
    """Runs ``clients`` connections for ``seconds``, each sending its next request when the last one is answered."""

    async def run() -> Measured:
        loop = asyncio.get_running_loop()
        latencies: list[float] = []
        started = time.perf_counter()
        pairs = [
            await loop.create_connection(lambda: _Client(port, make, started + seconds, latencies), "127.0.0.1", port)
            for _ in range(clients)
        ]
        for _, client in pairs:
            await client.done
        elapsed = time.perf_counter() - started
        latencies.sort()
        failures = sum(client.failures for _, client in pairs)
        middle, high = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
        return Measured(len(latencies) - failures, elapsed, middle, high, failures)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
