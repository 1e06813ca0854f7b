"""Stores for the tests: in this process, and as real server processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from .stores import Local, Process, Refused


@pytest.fixture
def local() -> Iterator[Local]:
    store = Local()
    yield store
    store.close()


@pytest.fixture(scope="module")
def local_with_once() -> Iterator[Local]:
    """One store for all examples of a property; every example makes its own table."""
    store = Local()
    yield store
    store.close()


@pytest.fixture
def local_with() -> Iterator[Callable[..., Local]]:
    """Makes stores with options of :class:`Local`."""
    made: list[Local] = []

    def make(**options: Any) -> Local:
        made.append(Local(**options))
        return made[-1]

    yield make
    for store in made:
        with suppress(Exception):
            store.close()


@pytest.fixture
def refused() -> Callable[..., Any]:
    """``with refused(code, words):`` - the call inside must be refused with that code and exactly those words."""

    def expect(code: str, message: str | None = None) -> Any:
        words = None if message is None else re.escape(f"{code}: {message}") + "$"
        return pytest.raises(Refused, match=words or re.escape(code))

    return expect


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts server processes, and ends them all."""
    started: list[Process] = []

    def launch(*options: str, **more: Any) -> Process:
        started.append(Process(*options, **more))
        return started[-1]

    yield launch
    for process in started:
        if process.process.poll() is None:
            process.end()
        for stream in (process.process.stdout, process.process.stderr):
            if stream is not None:
                stream.close()
