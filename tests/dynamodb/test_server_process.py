"""Real processes and unmodified boto3: concurrency, sudden death, orderly ends."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import BotoCoreError, ClientError

from .stores import create

THREADS = 8
ACCOUNTS = 6
BALANCE = 1000


def number(client: Any, key: str, attribute: str = "n") -> int:
    item = client.get_item(TableName="items", Key={"pk": {"S": key}}, ConsistentRead=True).get("Item", {})
    return int(item.get(attribute, {"N": "0"})["N"])


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


def add(client: Any, condition: bool) -> bool:
    """Reads the counter and raises it by one if nobody else did meanwhile; or just adds."""
    if not condition:
        client.update_item(
            TableName="items",
            Key={"pk": {"S": "counter"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        return True
    seen = number(client, "counter")
    try:
        client.update_item(
            TableName="items",
            Key={"pk": {"S": "counter"}},
            UpdateExpression="SET n = :next",
            ConditionExpression="n = :seen",
            ExpressionAttributeValues={":seen": {"N": str(seen)}, ":next": {"N": str(seen + 1)}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def transfer(client: Any, source: int, target: int, amount: int) -> bool:
    """Moves an amount between two accounts in one transaction, never below zero."""

    def change(account: int, by: int, **more: Any) -> dict[str, Any]:
        values = {":by": {"N": str(by)}, **({":least": {"N": str(-by)}} if by < 0 else {})}
        return {
            "Update": {
                "TableName": "items",
                "Key": {"pk": {"S": f"account-{account}"}},
                "UpdateExpression": "ADD balance :by",
                "ExpressionAttributeValues": values,
                **more,
            }
        }

    try:
        client.transact_write_items(
            TransactItems=[
                change(source, -amount, ConditionExpression="balance >= :least"),
                change(target, amount),
            ]
        )
    except client.exceptions.TransactionCanceledException:
        return False
    return True


def test_eight_threads_lose_no_update_and_conserve_their_sum(start: Any) -> None:
    client = start("--memory").client()
    create(client)
    client.put_item(TableName="items", Item={"pk": {"S": "counter"}, "n": {"N": "0"}})
    for account in range(ACCOUNTS):
        item = {"pk": {"S": f"account-{account}"}, "balance": {"N": str(BALANCE)}}
        client.put_item(TableName="items", Item=item)
    won = [0] * THREADS

    def work(thread: int) -> None:
        dice = random.Random(thread)
        for step in range(625):
            won[thread] += add(client, condition=step % 2 == 0)
            transfer(client, *dice.sample(range(ACCOUNTS), 2), dice.randint(1, 700))

    in_threads(work)
    assert number(client, "counter") == sum(won)
    balances = [number(client, f"account-{account}", "balance") for account in range(ACCOUNTS)]
    assert sum(balances) == ACCOUNTS * BALANCE
    assert min(balances) >= 0
    client.close()


def test_boto3_resources_work_unmodified(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start("--memory")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{process.port}")
    for name, value in (("ACCESS_KEY_ID", "AKIA"), ("SECRET_ACCESS_KEY", "s"), ("DEFAULT_REGION", "eu-north-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    database = boto3.resource("dynamodb")
    table = database.create_table(
        TableName="board",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    with table.batch_writer() as batch:
        for position in range(60):
            batch.put_item(Item={"pk": "a", "sk": position, "blob": bytes([position]), "tags": {"x", str(position)}})
    newest = table.query(KeyConditionExpression=Key("pk").eq("a"), ScanIndexForward=False, Limit=2)["Items"]
    assert [int(item["sk"]) for item in newest] == [59, 58]
    assert newest[0]["blob"].value == b";"
    found = table.scan(FilterExpression=Attr("tags").contains("7") & Attr("sk").lt(50))["Items"]
    assert [int(item["sk"]) for item in found] == [7]
    pages = list(
        database.meta.client.get_paginator("scan").paginate(TableName="board", PaginationConfig={"PageSize": 7})
    )
    assert sum(page["Count"] for page in pages) == 60
    table.delete()
    table.wait_until_not_exists()
    database.meta.client.close()


def test_every_acknowledged_write_survives_sigkill_and_no_transaction_is_half(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    acknowledged: set[str] = set()
    pairs: set[str] = set()
    dice = random.Random(11)
    for life in range(8):
        process = start("--data", str(path))
        client = process.client(connect_timeout=5, read_timeout=5)
        if life == 0:
            create(client)
        _write_until_death(client, life, acknowledged, pairs, process, dice.uniform(0.05, 0.4))
        client.close()
    process = start("--data", str(path))
    client = process.client()
    pages = client.get_paginator("scan").paginate(TableName="items")
    stored = {item["pk"]["S"] for page in pages for item in page["Items"]}
    assert client.describe_table(TableName="items")["Table"]["ItemCount"] == len(stored)
    client.close()
    assert len(acknowledged) > 100
    assert acknowledged <= stored
    for name in {key[:-2] for key in stored if key.startswith("pair")} | pairs:
        assert ({f"{name}-a", f"{name}-b"} <= stored) or name not in pairs
        assert (f"{name}-a" in stored) == (f"{name}-b" in stored)


def _write_until_death(
    client: Any, life: int, acknowledged: set[str], pairs: set[str], process: Any, seconds: float
) -> None:
    def put(key: str) -> dict[str, Any]:
        return {"TableName": "items", "Item": {"pk": {"S": key}, "x": {"S": "y" * 300}}}

    def work(thread: int) -> None:
        try:
            for step in range(100_000):
                key = f"{life}-{thread}-{step}"
                if step % 3:
                    client.put_item(**put(key))
                    acknowledged.add(key)
                else:
                    members = [{"Put": put(f"pair-{key}-a")}, {"Put": put(f"pair-{key}-b")}]
                    client.transact_write_items(TransactItems=members)
                    pairs.add(f"pair-{key}")
        except (BotoCoreError, ClientError):
            return

    killer = threading.Timer(seconds, process.end, [signal.SIGKILL])
    killer.start()
    in_threads(work, 4)
    killer.join()


def test_a_file_belongs_to_one_process(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    start("--data", str(path))
    second = start("--data", str(path))
    code, errors = second.end()
    assert code == 1
    assert errors == f"✗ {path} is in use by another process. Stop it, or choose another file with --data.\n"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--data", "/nowhere/store.db"), 1, "✗ Cannot open /nowhere/store.db: unable to open database file. Check"),
        ((), 2, "✗ Say where to keep the data: --memory, or --data FILE."),
        (("--memory", "--data", "x"), 2, "✗ Say where to keep the data: --memory, or --data FILE."),
    ],
)
def test_what_cannot_start_says_why_in_one_line(start: Any, options: tuple[str, ...], code: int, words: str) -> None:
    ended, errors = start(*options).end()
    assert ended == code
    assert errors.startswith(words)
    assert errors.count("\n") == 1


def test_a_taken_port_is_named(start: Any) -> None:
    first = start("--memory")
    code, errors = start("--memory", "--port", str(first.port)).end()
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{first.port}" in errors


def test_sigterm_ends_in_order_and_leaves_one_complete_file(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    process = start("--data", str(path))
    client = process.client()
    create(client)
    assert process.end(signal.SIGTERM) == (0, "")
    client.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended")
def test_it_dies_with_its_parent() -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'groundschool.dynamodb', '--memory', '--port', '0',"
        " '--die-with-parent'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
        deadline = time.monotonic() + 10
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
