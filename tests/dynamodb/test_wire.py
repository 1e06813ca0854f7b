"""What a client can send: right, wrong, huge, slow. The answer is AWS-shaped, or the connection is closed."""

from __future__ import annotations

import json
import select
import socket
import time
import zlib
from contextlib import closing
from typing import Any

import psutil
import pytest

from .stores import Process

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)


def request(body: bytes = b"{}", target: str = "DynamoDB_20120810.ListTables", **headers: str | None) -> bytes:
    fields: dict[str, str | None] = {
        "Host": "localhost",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "Authorization": AUTHORIZATION,
        "Content-Length": str(len(body)),
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body


class Wire:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        size = int(headers.get("content-length", "0"))
        while len(self._buffer) < size:
            self._more()
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return int(lines[0].split()[1]), headers, body

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        self._buffer += data

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(scope="module")
def server() -> Any:
    process = Process("--memory")
    yield process
    code, errors = process.end()
    for stream in (process.process.stdout, process.process.stderr):
        stream.close()
    assert (code, errors) == (0, ""), "no traceback, no crash"


@pytest.fixture
def wire(server: Any) -> Any:
    with closing(Wire(server.port)) as connection:
        yield connection


def error(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str, str | None]:
    status, _, body = answer
    content = json.loads(body)
    return status, content["__type"].partition("#")[2], content.get("message", content.get("Message"))


def test_an_answer_carries_its_checksum_and_a_request_id(wire: Wire) -> None:
    wire.send(request())
    status, headers, body = wire.answer()
    assert (status, json.loads(body)) == (200, {"TableNames": []})
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    assert len(headers["x-amzn-requestid"]) == 52
    assert headers["content-type"] == "application/x-amz-json-1.0"


@pytest.mark.parametrize(
    ("data", "status", "code", "message"),
    [
        (request(b"{broken"), 400, "SerializationException", None),
        (request(b"\xff\xfe"), 400, "SerializationException", None),
        (request(b"[" * 200_000), 400, "SerializationException", None),
        (request(b""), 400, "SerializationException", None),
        (request(b"[]"), 400, "SerializationException", "Unrecognized collection type class java.util.Map"),
        (request(b'{"Limit":"x"}'), 400, "SerializationException", "STRING_VALUE cannot be converted to Integer"),
        (request(b'{"Limit":1.5}'), 400, "SerializationException", "DECIMAL_VALUE cannot be converted to Integer"),
        (request(target="DynamoDB_20120810.Nope"), 400, "UnknownOperationException", None),
        (request(target="S3.ListTables"), 400, "UnknownOperationException", None),
        (
            request(target="DynamoDB_20120810.ExecuteStatement"),
            400,
            "UnknownOperationException",
            "ExecuteStatement is not supported by Ground School's DynamoDB.",
        ),
        (
            request(Authorization=None),
            400,
            "MissingAuthenticationTokenException",
            "Request is missing Authentication Token",
        ),
        (request(Authorization="Basic x"), 400, "MissingAuthenticationTokenException", None),
        (
            request(Authorization="AWS4-HMAC-SHA256 Signature=1"),
            400,
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' "
            "parameter. Authorization=AWS4-HMAC-SHA256 Signature=1",
        ),
        (
            request(b"{}", "DynamoDB_20120810.GetItem"),
            400,
            "ValidationException",
            "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be "
            "null; Value null at 'key' failed to satisfy constraint: Member must not be null",
        ),
    ],
    ids=lambda value: str(value)[-40:] if isinstance(value, bytes) else None,
)
def test_a_wrong_request_gets_an_aws_shaped_error(
    wire: Wire, data: bytes, status: int, code: str, message: str | None
) -> None:
    wire.send(data)
    answered = error(wire.answer())
    assert answered[:2] == (status, code)
    assert message is None or answered[2] == message
    wire.send(request())
    assert wire.answer()[0] == 200, "the connection goes on"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nX: " + b"y" * 40_000, 431),
    ],
)
def test_what_is_no_request_is_answered_and_the_connection_closed(wire: Wire, data: bytes, status: int) -> None:
    wire.send(data)
    answered, headers, _ = wire.answer()
    assert (answered, headers["connection"]) == (status, "close")
    with pytest.raises(ConnectionError):
        wire.answer()


def test_a_request_may_come_in_any_pieces(wire: Wire) -> None:
    data = request(b'{"Limit": 5}')
    for position in range(len(data)):
        wire.send(data[position : position + 1])
    assert wire.answer()[0] == 200


def test_pipelined_requests_are_answered_in_their_order(wire: Wire) -> None:
    names = [f"table-{number}" for number in range(30)]
    bodies = [json.dumps({"TableName": name}).encode() for name in names]
    wire.send(b"".join(request(body, "DynamoDB_20120810.DescribeTable") for body in bodies))
    for name in names:
        assert error(wire.answer())[2] == f"Requested resource not found: Table: {name} not found"


def test_a_client_may_wait_for_100_continue(wire: Wire) -> None:
    head, _, body = request(b'{"Limit": 5}', Expect="100-continue").partition(b"\r\n\r\n")
    wire.send(head + b"\r\n\r\n")
    assert wire.answer()[0] == 100
    wire.send(body)
    assert wire.answer()[0] == 200


def test_a_browser_or_load_balancer_sees_that_it_is_healthy(wire: Wire) -> None:
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n")
    assert wire.answer()[2] == b"healthy: localhost:8000 "


def test_a_body_of_16_megabytes_is_read(wire: Wire) -> None:
    padding = b" " * (16 * 1024 * 1024 - 2)
    wire.send(request(b"{" + padding + b"}"))
    assert wire.answer()[0] == 200


def test_added_latency_holds_back_one_answer_and_no_other(server: Any) -> None:
    fault = b'{"Faults": [{"operation": "DescribeLimits", "latency_seconds": 1.0}]}'
    with closing(Wire(server.port)) as slow, closing(Wire(server.port)) as quick:
        slow.send(request(fault, "GroundSchool.SetFault"))
        assert slow.answer()[0] == 200
        started = time.monotonic()
        slow.send(request(target="DynamoDB_20120810.DescribeLimits"))
        quick.send(request())
        quick.answer()
        assert not select.select([slow.socket], [], [], 0)[0], "the other answer is still held back"
        slow.answer()
        # The event loop counts whole milliseconds from the start of its turn.
        assert time.monotonic() - started > 0.9
        slow.send(request(b'{"Faults": []}', "GroundSchool.SetFault"))
        slow.answer()


def test_answers_that_nobody_takes_do_not_pile_up(server: Any) -> None:
    """Two hundred pipelined scans of a megabyte, read only after all were sent."""
    client = server.client()
    client.create_table(
        TableName="large",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for position in range(3):
        client.put_item(TableName="large", Item={"pk": {"S": str(position)}, "x": {"S": "y" * 390_000}})
    scan = request(b'{"TableName": "large"}', "DynamoDB_20120810.Scan")
    with closing(Wire(server.port)) as greedy:
        greedy.send(scan * 200)
        client.list_tables()
        assert psutil.Process(server.process.pid).memory_info().rss < 400_000_000
        for _ in range(200):
            status, _, body = greedy.answer()
            assert (status, len(body) > 1_000_000) == (200, True)
    client.delete_table(TableName="large")
    client.close()


def test_unfinished_requests_cannot_take_all_memory(server: Any) -> None:
    """Twenty clients announce 16 MB each and stop before the end: the server refuses what exceeds its limit."""
    clients = [Wire(server.port) for _ in range(20)]
    refused = 0
    head = request(b"", Content_Length=str(16 * 1024 * 1024))
    try:
        for client in clients:
            try:
                client.send(head + b" " * (15 * 1024 * 1024))
            except (ConnectionError, TimeoutError):
                refused += 1
        with closing(Wire(server.port)) as other:
            other.send(request())
            assert other.answer()[0] == 200
        assert psutil.Process(server.process.pid).memory_info().rss < 400_000_000
    finally:
        for client in clients:
            client.close()
    assert refused >= 5
