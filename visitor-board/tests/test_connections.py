"""The connections to the table: what they send, and the answers they take, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from visitor_board import connections
from visitor_board.connections import Connections

Script = Callable[[socket.socket, int], None]
"""Answers the n-th request of a connection."""


@contextmanager
def peer(script: Script, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server of one connection at a time: its port, and the requests it got."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted = listener.accept()[0]
            except OSError:
                return
            try:
                with context.wrap_socket(accepted, server_side=True) if context else accepted as connection:
                    number = 0
                    while request := _request(connection):
                        requests.append(request)
                        script(connection, number)
                        number += 1
            except OSError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"{}"):
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    return data


def answered(connection: socket.socket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")


def byte_by_byte(connection: socket.socket, _: int) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody":
        connection.sendall(bytes([byte]))


def in_chunks(connection: socket.socket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")


def continued(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    answered(connection, number)


def closing(connection: socket.socket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody")


def cut_off(connection: socket.socket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody")
    connection.shutdown(socket.SHUT_WR)


def no_http(connection: socket.socket, _: int) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def silent(_connection: socket.socket, _: int) -> None:
    """Leaves the client waiting."""


@pytest.mark.parametrize("script", [answered, byte_by_byte, in_chunks, continued, closing])
def test_an_answer_is_taken_however_it_comes(script: Script) -> None:
    with peer(script) as (port, requests):
        posts = Connections(f"http://127.0.0.1:{port}")
        assert [posts.post(b"{}", {"X-Amz-Target": "Query"}) for _ in range(2)] == [(200, b"body")] * 2
        posts.close()
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: Query\r\nContent-Length: 2\r\n\r\n"
    assert requests == [f"{head}{{}}".encode()] * 2


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(cut_off, "closed before the answer's end", id="cut off"),
        pytest.param(no_http, "not HTTP", id="no HTTP"),
        pytest.param(silent, "timed out", id="silent"),
    ],
)
def test_what_is_no_answer_is_an_error_and_the_connection_is_not_used_again(
    script: Script, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ", 0.2)
    seen: list[int] = []

    def first_fails(connection: socket.socket, number: int) -> None:
        seen.append(number)
        (answered if len(seen) > 1 else script)(connection, number)

    with peer(first_fails) as (port, _):
        posts = Connections(f"http://127.0.0.1:{port}")
        with pytest.raises(OSError, match=error):
            posts.post(b"{}", {})
        assert posts.post(b"{}", {}) == (200, b"body")
        posts.close()
    assert seen == [0, 0]


def test_tls_is_verified_against_the_bundle_that_aws_tools_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with peer(answered, context) as (port, _):
        stranger = Connections(f"https://localhost:{port}")
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.post(b"{}", {})
        authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
        posts = Connections(f"https://localhost:{port}")
        assert posts.post(b"{}", {}) == (200, b"body")
        posts.close()


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://127.0.0.1:4567", "127.0.0.1:4567"),
        ("http://[::1]:4567", "[::1]:4567"),
        ("https://dynamodb.eu-north-1.amazonaws.com", "dynamodb.eu-north-1.amazonaws.com"),
        ("https://dynamodb.eu-north-1.amazonaws.com:443", "dynamodb.eu-north-1.amazonaws.com"),
        ("http://table:80", "table"),
    ],
)
def test_the_host_is_named_as_it_is_signed(endpoint: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SigV4 signs the host; botocore leaves the scheme's own port out."""
    from botocore.auth import _host_from_url

    sent: list[bytes] = []

    class Socket:
        def sendall(self, data: bytes) -> None:
            sent.append(data)

        def recv(self, _: int) -> bytes:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(Connections, "_connect", lambda _: Socket())
    Connections(endpoint).post(b"", {})
    assert f"Host: {host}\r\n".encode() in sent[0]
    assert _host_from_url(endpoint) == host
