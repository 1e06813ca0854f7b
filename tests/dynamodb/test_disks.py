"""Disks that end, that cannot be written, and that may lose their power: clear errors, nothing lost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundschool.dynamodb.protocol.endpoint import Answer, HttpRequest
from groundschool.dynamodb.server import Server, Settings
from groundschool.dynamodb.storage.database import Database

from .stores import AUTHORIZATION, create


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of 4 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "groundschool-test", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(place: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)


def put_until_refused(client: Any, acknowledged: list[str]) -> ClientError:
    """Puts items of 20 KB; the first refusal."""
    for position in range(1000):
        try:
            client.put_item(TableName="items", Item={"pk": {"S": str(position)}, "x": {"S": "y" * 20_000}})
        except ClientError as refusal:
            return refusal
        acknowledged.append(str(position))
    raise AssertionError("the disk has room for 20 MB")


def stored(client: Any) -> set[str]:
    pages = client.get_paginator("scan").paginate(TableName="items")
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def test_a_full_disk_is_a_clear_error_and_loses_nothing(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    process = start("--data", str(path), preexec=little_room)
    client = process.client()
    create(client)
    acknowledged: list[str] = []
    refusal = put_until_refused(client, acknowledged)
    assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "The store cannot write" in refusal.response["Error"]["Message"]
    assert stored(client) == set(acknowledged)
    client.close()
    process.end(signal.SIGKILL)
    client = start("--data", str(path)).client()
    assert stored(client) == set(acknowledged)
    client.put_item(TableName="items", Item={"pk": {"S": "again"}})
    client.close()


def test_a_store_goes_on_when_its_full_disk_has_room_again(start: Any, disk: Path) -> None:
    process = start("--data", str(disk / "store.db"))
    client = process.client()
    create(client)
    acknowledged: list[str] = []
    refusal = put_until_refused(client, acknowledged)
    assert "database or disk is full. Nothing of this request was stored." in refusal.response["Error"]["Message"]
    assert stored(client) == set(acknowledged)
    remount(disk, "size=16m")
    client.put_item(TableName="items", Item={"pk": {"S": "again"}})
    client.close()
    process.end(signal.SIGKILL)
    client = start("--data", str(disk / "store.db")).client()
    assert stored(client) == {*acknowledged, "again"}
    client.close()


def test_a_new_file_needs_a_writable_folder(start: Any, disk: Path) -> None:
    remount(disk, "ro")
    code, errors = start("--data", str(disk / "store.db")).end()
    assert code == 1
    assert errors == (
        f"✗ Cannot open {disk / 'store.db'}: unable to open database file. Check that its folder exists and is "
        "writable, or choose another with --data.\n"
    )


def test_a_file_that_cannot_be_written_is_refused_and_keeps_what_it_has(start: Any, disk: Path) -> None:
    path = disk / "store.db"
    process = start("--data", str(path))
    client = process.client()
    create(client)
    client.put_item(TableName="items", Item={"pk": {"S": "kept"}})
    client.close()
    process.end()
    remount(disk, "ro")
    code, errors = start("--data", str(path)).end()
    assert code == 1
    assert errors.startswith(f"✗ Cannot open {path}: ")
    assert errors.endswith("Check that its folder exists and is writable, or choose another with --data.\n")
    assert errors.count("\n") == 1
    remount(disk, "rw")
    client = start("--data", str(path)).client()
    assert stored(client) == {"kept"}
    client.close()


@pytest.mark.parametrize(("power_safe", "synchronous"), [(False, 1), (True, 2)], ids=["normal", "power-safe"])
def test_power_safe_syncs_the_log_at_every_commit(tmp_path: Path, power_safe: bool, synchronous: int) -> None:
    # SQLite, "PRAGMA synchronous": with a write-ahead log FULL (2) syncs it after each transaction commit; NORMAL (1)
    # only at checkpoints.
    database = Database(tmp_path / "store.db", power_safe=power_safe)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    database.close()


class _Client:
    """A connection that notes at each answer whether the writes before it were committed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.answers: list[tuple[int, bool]] = []

    def send(self, answer: Answer) -> None:
        self.answers.append((answer.status, self._server.store.database.in_group))


def test_no_answer_leaves_before_the_commit_of_its_group() -> None:
    def request(operation: str, body: bytes) -> HttpRequest:
        authorization = AUTHORIZATION.format(key="AKIA", region="eu-north-1").encode()
        target = f"DynamoDB_20120810.{operation}"
        return HttpRequest(b"POST", b"/", target, b"application/x-amz-json-1.0", authorization, "h", body, True)

    async def serve() -> list[tuple[int, bool]]:
        server = Server(Settings(port=0))
        await server.start()
        client: Any = _Client(server)
        key = b'{"pk":{"S":"a"}}'
        server.take(
            client,
            request(
                "CreateTable",
                b'{"TableName":"items","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":'
                b'"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}',
            ),
        )
        server.take(client, request("PutItem", b'{"TableName":"items","Item":%b}' % key))
        # A read that sees what is not durable yet waits with the write.
        server.take(client, request("GetItem", b'{"TableName":"items","Key":%b}' % key))
        assert client.answers == []
        server.stop()
        await server.run()
        return list(client.answers)

    assert asyncio.run(serve()) == [(200, False)] * 3
