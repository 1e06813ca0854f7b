"""A closed-loop load generator for the JSON protocol: ready-made requests over a few connections, nothing parsed.

The client must cost far less than the server it measures: one thread, blocking sockets and ``poll``, requests made
before the clock starts, answers only counted and looked at for their status and length. It tells what it cost itself.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

_HEAD = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nUser-Agent: Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux\r\n"
    "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-north-1/"
    "dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={zeros}\r\n"
    "amz-sdk-invocation-id: 00000000-0000-0000-0000-000000000000\r\namz-sdk-request: attempt=1\r\n"
    "Content-Length: {length}\r\n\r\n"
)
_TRIAL_SECONDS = 0.1
_ANSWER_SECONDS = 15.0


@dataclass(frozen=True)
class Measured:
    """Requests answered with 200, in how many seconds, and their median and 99th-percentile latency in seconds.

    ``server_cpu`` and ``client_cpu`` are seconds of processor time spent meanwhile.
    """

    requests: int
    seconds: float
    median: float
    p99: float
    failures: int
    server_cpu: float
    client_cpu: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def server_cpu_each(self) -> float:
        """Processor seconds of the server for one request."""
        return self.server_cpu / max(1, self.requests + self.failures)

    @property
    def client_cpu_each(self) -> float:
        return self.client_cpu / max(1, self.requests + self.failures)


def request(port: int, operation: str, body: dict[str, object]) -> bytes:
    """The bytes of one signed-looking request."""
    content = orjson.dumps(body)
    head = _HEAD.format(port=port, operation=operation, length=len(content), zeros="0" * 64)
    return head.encode() + content


class _Client:
    """One connection, made anew when the server closes it after an answer (moto's does)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pieces = b""
        self.sent = 0.0
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, ready: bytes) -> None:
        self.sent = time.perf_counter()
        self._socket.sendall(ready)

    def receive(self) -> tuple[bytes, bool] | None:
        """The status of a complete answer, and whether the server closes; None while the answer is not complete."""
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        answer = self._pieces + data if self._pieces else data
        end = answer.find(b"\r\n\r\n")
        head = answer[:end].lower()
        if end < 0 or len(answer) < end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]):
            self._pieces = answer
            return None
        self._pieces = b""
        return answer[9:12], b"\r\nconnection: close" in head

    def again(self) -> None:
        self.close()
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_ANSWER_SECONDS)

    def close(self) -> None:
        self._socket.close()


def measure(
    port: int,
    make: Callable[[], bytes],
    *,
    clients: int,
    seconds: float,
    server_cpu: Callable[[], float] = lambda: 0.0,
) -> Measured:
    """Runs ``clients`` connections for ``seconds``, each sending its next request when the last one is answered.

    A short trial before tells how many requests to make beforehand. ``server_cpu`` gives the server's processor time in
    seconds so far. Raises TimeoutError when an answer takes 15 seconds.
    """
    trial = _run(port, make, [], clients, _TRIAL_SECONDS, server_cpu)
    ready = [make() for _ in range(int(trial.rate * seconds * 1.3))]
    return _run(port, make, ready, clients, seconds, server_cpu)


def _run(
    port: int,
    make: Callable[[], bytes],
    ready: list[bytes],
    clients: int,
    seconds: float,
    server_cpu: Callable[[], float],
) -> Measured:
    latencies: list[float] = []
    failures = 0
    connections = [_Client(port) for _ in range(clients)]
    cpu_before, own_before, started = server_cpu(), time.thread_time(), time.perf_counter()
    for answered, status, took in _exchange(connections, make, ready, started + seconds):
        latencies.append(took)
        failures += status != b"200"
        finished = answered
    elapsed, own, cpu = finished - started, time.thread_time() - own_before, server_cpu() - cpu_before
    for connection in connections:
        connection.close()
    latencies.sort()
    middle, high = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    return Measured(len(latencies) - failures, elapsed, middle, high, failures, cpu, own)


def _exchange(
    connections: list[_Client], make: Callable[[], bytes], ready: list[bytes], until: float
) -> Iterator[tuple[float, bytes, float]]:
    """When each answer came, its status and how long it took, until every connection is past ``until``."""
    poll = select.poll()
    waiting = {}
    for connection in connections:
        waiting[connection.fileno()] = connection
        poll.register(connection, select.POLLIN)
        connection.send(ready.pop() if ready else make())
    while waiting:
        events = poll.poll(_ANSWER_SECONDS * 1000)
        if not events:
            raise TimeoutError(f"no answer within {_ANSWER_SECONDS:.0f} s")
        for number, _ in events:
            connection = waiting[number]
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            status, closes = answer
            yield now, status, now - connection.sent
            if now >= until or closes:
                poll.unregister(number)
                del waiting[number]
            if now >= until:
                continue
            if closes:
                connection.again()
                poll.register(connection, select.POLLIN)
                waiting[connection.fileno()] = connection
            connection.send(ready.pop() if ready else make())
