"""The client against a table that misbehaves as told, one scripted answer per request."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.session import Session

from visitor_board import connections, store_client
from visitor_board.breaker import Breaker
from visitor_board.store_client import ConditionFailed, StoreClient, StoreError, endpoint_url

OK = (200, {"Items": []})
THROTTLED = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"})
DENIED = (400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "User: x is not authorized"})
FAILED = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "Internal"})
CONDITION = (
    400,
    {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": {"pk": {"S": "x"}}},
)
SILENT = (0, None)
GARBAGE = (200, "<html>")
NO_OBJECT = (200, '"text"')


class Table:
    """Answers requests from a script; after its end, the last answer is repeated."""

    def __init__(self, *script: tuple[int, Any]) -> None:
        self.script = list(script)
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.accepted = 0
        table = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                table.accepted += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                table.requests.append((dict(self.headers), json.loads(body)))
                status, answer = table.script.pop(0) if len(table.script) > 1 else table.script[0]
                if not status:
                    self.close_connection = True
                    return
                data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[Table, StoreClient]]]:
    """A scripted table and a client of it that does not really sleep."""
    opened: list[tuple[StoreClient, Table]] = []

    def make(*script: tuple[int, Any]) -> tuple[Table, StoreClient]:
        table = Table(*script)
        endpoint = f"http://127.0.0.1:{table.server.server_address[1]}"
        client = StoreClient("eu-north-1", endpoint, sleep=lambda _: None)
        opened.append((client, table))
        return table, client

    yield make
    for client, table in opened:
        client.close()
        table.close()


def test_a_call_is_signed_dynamodb_json(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    table, client = connect(OK)
    assert client.call("Query", {"TableName": "t"}) == {"Items": []}
    headers, body = table.requests[0]
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.Query"
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert "/eu-north-1/dynamodb/aws4_request" in headers["Authorization"]
    assert body == {"TableName": "t"}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(THROTTLED, id="throttled"),
        pytest.param(FAILED, id="server error"),
        pytest.param(SILENT, id="closed without an answer"),
        pytest.param(GARBAGE, id="not JSON"),
        pytest.param(NO_OBJECT, id="not an object"),
        pytest.param((503, {"message": "from a proxy"}), id="a proxy's 503"),
    ],
)
def test_passing_trouble_is_retried(
    connect: Callable[..., tuple[Table, StoreClient]], trouble: tuple[int, Any]
) -> None:
    table, client = connect(trouble, trouble, OK)
    assert client.call("Query", {}) == {"Items": []}
    assert len(table.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "times"), [(SILENT, 1), (GARBAGE, 1), (THROTTLED, 2)], ids=["silent", "garbage", "throttled"]
)
def test_an_add_is_not_sent_again_unless_it_surely_did_not_happen(
    connect: Callable[..., tuple[Table, StoreClient]], trouble: tuple[int, Any], times: int
) -> None:
    table, client = connect(trouble, OK)
    if times == 1:
        with pytest.raises(StoreError) as caught:
            client.call("UpdateItem", {}, repeatable=False)
        assert caught.value.outcome_unknown
    else:
        client.call("UpdateItem", {}, repeatable=False)
    assert len(table.requests) == times


def test_lasting_trouble_keeps_awss_error_name(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    table, client = connect(THROTTLED)
    with pytest.raises(StoreError, match="ThrottlingException: Rate exceeded"):
        client.call("Query", {})
    assert len(table.requests) == 4


def test_a_denied_call_is_not_retried(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    table, client = connect(DENIED)
    with pytest.raises(StoreError) as caught:
        client.call("Query", {})
    assert caught.value.code == "AccessDeniedException"
    assert len(table.requests) == 1


def test_a_failed_condition_brings_the_stored_item(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    _, client = connect(CONDITION)
    with pytest.raises(ConditionFailed) as caught:
        client.call("PutItem", {})
    assert caught.value.item == {"pk": {"S": "x"}}


def test_retries_end_at_the_deadline(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, client = connect(THROTTLED)
    monkeypatch.setattr(store_client, "DEADLINE", 0.0)
    with pytest.raises(StoreError):
        client.call("Query", {})
    assert len(table.requests) == 1


def test_waits_are_jittered_and_grow(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = connect(THROTTLED)
    bounds: list[float] = []
    monkeypatch.setattr(store_client.random, "uniform", lambda low, high: bounds.append(high) or low)
    with pytest.raises(StoreError):
        client.call("Query", {})
    assert bounds == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_a_table_that_hangs_costs_a_bounded_time(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = StoreClient("eu-north-1", f"http://127.0.0.1:{silent.getsockname()[1]}", sleep=lambda _: None)
        begun = time.monotonic()
        with pytest.raises(StoreError) as caught:
            client.call("Query", {})
        assert time.monotonic() - begun < 1.5
        assert caught.value.outcome_unknown
        client.close()


def test_while_the_table_is_away_calls_fail_at_once(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    table, client = connect(SILENT)
    for _ in range(3):
        with pytest.raises(StoreError):
            client.call("Query", {})
    asked = len(table.requests)
    with pytest.raises(StoreError, match="StoreAway"):
        client.call("Query", {})
    assert len(table.requests) == asked


def test_the_breaker_lets_one_call_try_after_a_pause_and_closes_when_it_is_answered() -> None:
    now = [0.0]
    breaker = Breaker(limit=3, pause=1.0, clock=lambda: now[0])
    for _ in range(3):
        assert breaker.admit()
        breaker.record(answered=False)
    assert not breaker.admit()
    now[0] = 1.0
    assert breaker.admit()
    assert not breaker.admit()
    breaker.record(answered=True)
    assert breaker.admit()


def test_without_credentials_the_error_is_botocores(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    table, client = connect(OK)
    assert not client.has_credentials()
    with pytest.raises(StoreError, match="NoCredentialsError: Unable to locate credentials"):
        client.call("Query", {})
    assert table.requests == []


def test_a_session_token_is_sent(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    table, client = connect(OK)
    client.call("Query", {})
    assert table.requests[0][0]["X-Amz-Security-Token"] == "the-token"


@pytest.mark.parametrize(
    ("environment", "fallback", "expected"),
    [
        pytest.param({}, "", "https://dynamodb.eu-north-1.amazonaws.com", id="AWS"),
        pytest.param({}, "http://a:1", "http://a:1", id="DYNAMODB_ENDPOINT_URL"),
        pytest.param({"AWS_ENDPOINT_URL": "http://b:1/"}, "http://a:1", "http://b:1", id="AWS_ENDPOINT_URL goes first"),
        pytest.param(
            {"AWS_ENDPOINT_URL_DYNAMODB": "http://c:1", "AWS_ENDPOINT_URL": "http://b:1"},
            "",
            "http://c:1",
            id="service",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL": "http://b:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "",
            "https://dynamodb.eu-north-1.amazonaws.com",
            id="ignored when told so",
        ),
    ],
)
def test_the_endpoint_is_found_as_boto3_finds_it(environment: dict[str, str], fallback: str, expected: str) -> None:
    assert endpoint_url(Session(), "eu-north-1", fallback, environment) == expected


def test_other_partitions_have_their_own_domain() -> None:
    assert endpoint_url(Session(), "cn-north-1", "", {}) == "https://dynamodb.cn-north-1.amazonaws.com.cn"


def test_connections_are_kept(connect: Callable[..., tuple[Table, StoreClient]]) -> None:
    table, client = connect(OK)
    for _ in range(5):
        client.call("Query", {})
    assert table.accepted == 1


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    connect: Callable[..., tuple[Table, StoreClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, client = connect(OK)
    monkeypatch.setattr(connections, "_IDLE", 0.0)
    for _ in range(3):
        client.call("Query", {}, repeatable=False)
    assert table.accepted == 3
