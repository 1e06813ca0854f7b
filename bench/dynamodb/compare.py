"""The store beside other engines, in one run on one machine: ``python bench/dynamodb/compare.py``.

Engines are given as commands; ``{port}`` is replaced. Those that are not installed are left out::

    python bench/dynamodb/compare.py --engine "moto=moto_server -H 127.0.0.1 -p {port}" \\
        --engine "dynalite=npx dynalite --port {port} --createTableMs 0"

Every engine gets the same ready-made requests from the same load generator, one engine at a time.
"""

from __future__ import annotations

import itertools
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psutil
from load import Measured, measure, request

PARTITION_ITEMS = 10_000
TEXT = "x" * 140
PORT = 24_100


@dataclass(frozen=True)
class Engine:
    """A started engine: where it listens, and how long it took to answer for the first time (seconds)."""

    name: str
    port: int
    process: psutil.Process
    ready_seconds: float

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        return sum(each.memory_info().rss for each in (self.process, *self.process.children(recursive=True)))


@contextmanager
def started(name: str, command: str, port: int) -> Iterator[Engine]:
    """Runs an engine until the block ends; raises FileNotFoundError when it is not installed."""
    began = time.perf_counter()
    arguments = [part.format(port=port) for part in shlex.split(command)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.sendall(request(port, "ListTables", {}))
                    if connection.recv(15).startswith(b"HTTP/1."):
                        break
                if process.poll() is not None or time.perf_counter() - began > 30:
                    raise RuntimeError(f"{name} did not start: {command}")
                time.sleep(0.002)
            yield Engine(name, port, psutil.Process(process.pid), time.perf_counter() - began)
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.terminate()


class Workload:
    """The requests of one engine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count()

    def call(self, operation: str, body: dict[str, Any]) -> None:
        """One request, its answer ignored."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            connection.sendall(request(self._port, operation, body))
            connection.recv(65536)

    def create(self, table: str) -> None:
        self.call(
            "CreateTable",
            {
                "TableName": table,
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
            },
        )
        time.sleep(0.3)

    def item(self, partition: str, number: int) -> dict[str, Any]:
        """About 200 bytes."""
        return {
            "pk": {"S": partition},
            "sk": {"S": f"{number:012d}"},
            "text": {"S": TEXT},
            "likes": {"N": str(number % 100)},
        }

    def fill(self, table: str, partition: str, count: int) -> None:
        """Puts ``count`` items into one partition."""
        for first in range(0, count, 25):
            puts = [
                {"PutRequest": {"Item": self.item(partition, number)}}
                for number in range(first, min(first + 25, count))
            ]
            self.call("BatchWriteItem", {"RequestItems": {table: puts}})

    def put(self) -> bytes:
        item = self.item("new", next(self._numbers))
        return request(self._port, "PutItem", {"TableName": "bench", "Item": item})

    def get(self, table: str = "bench", count: int = PARTITION_ITEMS) -> bytes:
        number = next(self._numbers) * 7919 % count
        key = {"pk": {"S": "board"}, "sk": {"S": f"{number:012d}"}}
        return request(self._port, "GetItem", {"TableName": table, "Key": key})

    def newest_50(self, table: str = "bench") -> Callable[[], bytes]:
        ready = request(
            self._port,
            "Query",
            {
                "TableName": table,
                "KeyConditionExpression": "pk = :p",
                "ExpressionAttributeValues": {":p": {"S": "board"}},
                "ScanIndexForward": False,
                "Limit": 50,
            },
        )
        return lambda: ready

    def filtered_50(self) -> Callable[[], bytes]:
        ready = request(
            self._port,
            "Query",
            {
                "TableName": "bench",
                "KeyConditionExpression": "pk = :p",
                "FilterExpression": "likes > :l",
                "ProjectionExpression": "sk, likes",
                "ExpressionAttributeValues": {":p": {"S": "board"}, ":l": {"N": "50"}},
                "ScanIndexForward": False,
                "Limit": 50,
            },
        )
        return lambda: ready

    def increment(self) -> bytes:
        number = next(self._numbers) % 100
        return request(
            self._port,
            "UpdateItem",
            {
                "TableName": "bench",
                "Key": {"pk": {"S": "board"}, "sk": {"S": f"{number:012d}"}},
                "UpdateExpression": "ADD likes :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            },
        )

    def transact_10(self) -> bytes:
        puts = [
            {"Put": {"TableName": "bench", "Item": self.item("transacted", next(self._numbers))}} for _ in range(10)
        ]
        return request(self._port, "TransactWriteItems", {"TransactItems": puts})


def rows(engine: Engine, seconds: float) -> Iterator[tuple[str, Measured]]:
    """The measurements of one engine."""
    work = Workload(engine.port)
    work.create("bench")
    work.fill("bench", "board", PARTITION_ITEMS)
    steps: list[tuple[str, Callable[[], bytes], int]] = [
        ("PutItem 200 B, 1 client", work.put, 1),
        ("PutItem 200 B, 8 clients", work.put, 8),
        ("GetItem, 8 clients", work.get, 8),
        ("UpdateItem ADD, 8 clients", work.increment, 8),
        (f"Query newest 50 of {PARTITION_ITEMS:,}, 1 client", work.newest_50(), 1),
        (f"Query newest 50 of {PARTITION_ITEMS:,}, 8 clients", work.newest_50(), 8),
        ("Query 50 with filter and projection, 8 clients", work.filtered_50(), 8),
        ("TransactWriteItems of 10, 8 clients", work.transact_10, 8),
    ]
    for name, make, clients in steps:
        # The best of three: a busy neighbour must not decide the comparison.
        runs = [measure(engine.port, make, clients=clients, seconds=seconds) for _ in range(3)]
        yield name, max(runs, key=lambda run: run.rate)


@click.command()
@click.option("--engine", "engines", multiple=True, help="NAME=COMMAND, with {port} in the command.")
@click.option("--seconds", default=0.7, show_default=True, help="Per measurement.")
def main(engines: tuple[str, ...], seconds: float) -> None:
    """Prints a Markdown table: operations per second, and the median and 99th-percentile latency in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        ours = f"{sys.executable} -m groundschool.dynamodb --port {{port}}"
        commands = {"memory": f"{ours} --memory", "file": f"{ours} --data {Path(folder) / 'store.db'}"}
        commands |= dict(engine.split("=", 1) for engine in engines)
        table: dict[str, dict[str, str]] = {}
        for position, (name, command) in enumerate(commands.items()):
            with started(name, command, PORT + position) as engine:
                column = {"Start to first answer": f"{engine.ready_seconds * 1000:.0f} ms"}
                column["Memory, idle"] = f"{engine.memory() / 1e6:.0f} MB"
                for row, seen in rows(engine, seconds):
                    failed = f" ({seen.failures} failed)" if seen.failures else ""
                    column[row] = f"{seen.rate:,.0f} ({seen.median * 1000:.2f} / {seen.p99 * 1000:.2f} ms){failed}"
                column["Memory, afterwards"] = f"{engine.memory() / 1e6:.0f} MB"
                table[name] = column
    print("| | " + " | ".join(table) + " |\n|---" * 1 + "|---" * len(table) + "|")
    for row in next(iter(table.values())):
        print(f"| {row} | " + " | ".join(column[row] for column in table.values()) + " |")


if __name__ == "__main__":
    main()
