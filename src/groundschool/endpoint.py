"""Where a URL leads: the address to connect to, and the name to ask for.

RFC 6761, section 6.3: every name that ends in ``.localhost`` means the loopback address, but not every resolver knows
it. The lab's load balancers have such names, so the name is resolved here and kept as the ``Host`` header, by which the
load balancer is found.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import urllib3

from groundschool.errors import UsageError


@dataclass(frozen=True)
class Endpoint:
    """``connect_host`` and ``connect_port`` are for the socket, ``host_header`` is for the request."""

    scheme: str
    connect_host: str
    connect_port: int
    host_header: str
    target: str
    """Path and query, never empty."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status. ``seconds`` is real time from the first byte sent to the last received."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def is_loopback(host: str) -> bool:
    """Pure: whether an address (not a name) is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def names_this_machine(host: str) -> bool:
    """Pure: whether a ``Host`` header, with or without port, is a loopback address or name.

    Servers on loopback refuse others, so that a web page cannot reach them by DNS rebinding.
    """
    before, _, port = host.rpartition(":")
    name = before if port.isdigit() else host
    return _is_local_name(name) or is_loopback(name.strip("[]"))


def locate(url: str) -> Endpoint:
    """Pure: no resolver is asked. UsageError for what is not an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL ({error}). Give one like http://board.example:8080/") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not an http or https URL. Give one like http://board.example:8080/")
    host = parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(
        scheme=parts.scheme,
        connect_host="127.0.0.1" if _is_local_name(host) else host,
        connect_port=port or (443 if parts.scheme == "https" else 80),
        host_header=parts.netloc.rpartition("@")[2],
        target=target,
    )


def _is_local_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def fetch(url: str, *, timeout: float = 5.0, method: str = "GET") -> Answer:
    """One request on a new connection; redirects are not followed. ``timeout``: seconds to connect, and again to read.

    Raises ``OSError`` (``TimeoutError``, ``ConnectionError``, ...) when nobody answers.
    """
    endpoint = locate(url)
    pool_type = urllib3.HTTPSConnectionPool if endpoint.scheme == "https" else urllib3.HTTPConnectionPool
    started = time.monotonic()
    try:
        with pool_type(endpoint.connect_host, endpoint.connect_port, timeout=timeout, retries=False) as pool:
            answer = pool.request(
                method, endpoint.target, headers={"Host": endpoint.host_header}, redirect=False, preload_content=True
            )
            return Answer(answer.status, dict(answer.headers), answer.data, time.monotonic() - started)
    except urllib3.exceptions.NewConnectionError as error:  # which urllib3 counts among the time-outs
        raise ConnectionError(f"{url} did not answer: {error}") from error
    except urllib3.exceptions.TimeoutError as error:
        raise TimeoutError(f"{url} did not answer within {timeout:g} s") from error
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionError(f"{url} did not answer: {error}") from error
