"""Who is told to hold a port, and who is not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from groundschool.cloud.network.envoy import ports
from groundschool.cloud.network.envoy.ports import obstacle

OURS, STRANGER = 10, 20
SEARCH_SECONDS = 3.0
"""Longer than a closing listener gets: the machine is busy."""


@pytest.mark.parametrize(
    ("free_from", "holder", "said"),
    [
        pytest.param(0.0, None, None, id="free"),
        pytest.param(0.1, None, None, id="closed while its holder was searched"),
        pytest.param(3.5, None, None, id="closed a moment after the search"),
        pytest.param(99.0, None, "taken by a program of another user", id="held by somebody who is not seen"),
        pytest.param(99.0, OURS, None, id="held by our own Envoy"),
        pytest.param(99.0, STRANGER, "taken by pid 20", id="held by a stranger"),
    ],
)
def test_a_port_is_taken_only_if_somebody_keeps_it(
    free_from: float, holder: int | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def search(_address: str, _port: int) -> int | None:
        now[0] += SEARCH_SECONDS
        return holder

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(ports, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    monkeypatch.setattr(ports, "_can_bind", lambda *_: now[0] >= free_from)
    monkeypatch.setattr(ports, "_holder", search)
    monkeypatch.setattr(ports.psutil, "Process", lambda _: SimpleNamespace(name=lambda: "nginx"))
    found = obstacle("127.0.10.2", 80, OURS)
    assert found is None if said is None else said in str(found)
