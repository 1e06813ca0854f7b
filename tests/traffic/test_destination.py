"""Where load may go, and what came back from there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groundschool.errors import LoadError
from groundschool.traffic.acknowledged import lost_posts, reader
from groundschool.traffic.destination import base_url, destination


@pytest.mark.parametrize(
    ("url", "address", "host"),
    [
        pytest.param("http://127.0.0.1:8080/", "http://127.0.0.1:8080", "127.0.0.1:8080", id="loopback address"),
        pytest.param("http://127.0.3.4/", "http://127.0.3.4:80", "127.0.3.4", id="any of 127/8, default port"),
        pytest.param("http://localhost:81", "http://127.0.0.1:81", "localhost:81", id="localhost"),
        pytest.param("http://b-1.elb.localhost:81/x", "http://127.0.0.1:81", "b-1.elb.localhost:81", id="a lab name"),
        pytest.param("http://[::1]:81/", "http://[::1]:81", "[::1]:81", id="IPv6 loopback"),
    ],
)
def test_the_lab_is_a_destination(url: str, address: str, host: str) -> None:
    endpoint = destination(url)
    assert (base_url(endpoint), endpoint.host_header) == (address, host)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://board.eu-north-1.elb.amazonaws.com/", id="AWS"),
        pytest.param("http://192.168.1.5/", id="the neighbour"),
        pytest.param("http://localhost.example.com/", id="a name that only looks local"),
        pytest.param("http://127.0.0.1.nip.io/", id="a name that resolves to this machine"),
        pytest.param("http://0.0.0.0/", id="every interface"),
    ],
)
def test_anything_else_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(LoadError, match=r"not on this machine.*costs money"):
        destination(url)


def pages(*contents: list[str]) -> Any:
    """A board that lists these ids, a page each; the cursor is the number of the page."""

    def read(path: str) -> bytes:
        number = int(path.split("before=")[1]) if "before=" in path else 0
        following = str(number + 1) if number + 1 < len(contents) else None
        return json.dumps({"messages": [{"id": one} for one in contents[number]], "next": following}).encode()

    return read


@pytest.mark.parametrize(
    ("acknowledged", "lost"),
    [
        pytest.param(["a", "d"], set(), id="all there, on two pages"),
        pytest.param(["a", "x"], {"x"}, id="one lost"),
        pytest.param([], set(), id="nothing was posted"),
    ],
)
def test_acknowledged_posts_are_looked_for_on_every_page(acknowledged: list[str], lost: set[str]) -> None:
    assert lost_posts(pages(["a", "b"], ["c", "d"]), acknowledged) == lost


def test_a_board_that_cannot_be_read_back_is_an_error_and_not_a_loss(board: Any) -> None:
    board.list_status = 503
    with pytest.raises(LoadError, match="HTTP 503"):
        lost_posts(reader(board.url), ["a"])
    with pytest.raises(LoadError, match="could not be read back"):
        lost_posts(reader("http://127.0.0.1:27499"), ["a"])
