"""A DynamoDB for the tests: the embedded store as a process of its own, or the one at BOARD_TEST_DYNAMODB."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from visitor_board import table
from visitor_board.cli import build_app
from visitor_board.feed import Feed
from visitor_board.instance import Instance
from visitor_board.settings import Settings
from visitor_board.store_client import StoreClient
from visitor_board.telemetry import Metrics

AWS_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "DYNAMODB_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION")
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's AWS account."""
    for variable in AWS_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A loopback port that was free a moment ago."""

    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return int(listening.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., None]:
    """Waits until a condition holds; fails after ``seconds``."""

    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, f"not true after {seconds} s"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def endpoint(free_port: Callable[[], int], wait_for: Callable[..., None]) -> Iterator[str]:
    """The address of a DynamoDB in memory."""
    if given := os.environ.get("BOARD_TEST_DYNAMODB"):
        yield given
        return
    port = free_port()
    command = [sys.executable, "-m", "groundschool.dynamodb", "--memory", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:

        def accepts() -> bool:
            assert process.poll() is None, "the embedded store did not start"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(accepts)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def settings(endpoint: str) -> Settings:
    """Settings with a table name of its own; the table is not created."""
    return Settings(endpoint=endpoint, table_name=f"board_{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def client(settings: Settings) -> Iterator[StoreClient]:
    """A client of the store, with the table created."""
    one = StoreClient(settings.region, settings.endpoint)
    table.create(one, settings)
    yield one
    one.close()


@pytest.fixture
def feed(client: StoreClient, settings: Settings) -> Feed:
    return Feed(client, settings, "i-1")


@pytest.fixture
def make_app(client: StoreClient, settings: Settings) -> Callable[..., Flask]:
    """The application, with settings changed as named."""

    def make(instance: str = "i-1", **changed: object) -> Flask:
        return build_app(
            replace(settings, **changed),  # type: ignore[arg-type]
            client,
            Instance(instance, "eu-north-1a", on_ec2=True),
            Metrics(instance),
        )

    return make
