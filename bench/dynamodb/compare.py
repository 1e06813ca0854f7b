"""The store beside other engines, in one run on one machine: ``python bench/dynamodb/compare.py``.

Engines are given as commands; ``{port}`` is replaced. Those that are not installed are left out::

    python bench/dynamodb/compare.py --engine "moto=moto_server -H 127.0.0.1 -p {port}" \\
        --engine "dynalite=npx dynalite --port {port} --createTableMs 0"

Every engine gets the same ready-made requests from the same load generator; they take turns.
"""

from __future__ import annotations

import itertools
import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psutil
from load import Measured, measure, request

PARTITION_ITEMS = 10_000
TEXT = "x" * 140
PORT = 24_100
TURNS = 3


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

    def cpu(self) -> float:
        """Processor seconds of the process and its children so far, all their threads together."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return sum(each.user + each.system for each in times)


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
        self._newest_50 = self.newest_50()()

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

    def older_50(self) -> bytes:
        """The 50 before one of many messages: hardly a request comes twice."""
        number = PARTITION_ITEMS // 2 + next(self._numbers) * 7919 % (PARTITION_ITEMS // 2)
        return request(
            self._port,
            "Query",
            {
                "TableName": "bench",
                "KeyConditionExpression": "pk = :p AND sk < :s",
                "ExpressionAttributeValues": {":p": {"S": "board"}, ":s": {"S": f"{number:012d}"}},
                "ScanIndexForward": False,
                "Limit": 50,
            },
        )

    def posts_and_pages(self) -> bytes:
        """Every tenth request puts an item in front of the partition, the others ask for its newest 50."""
        number = next(self._numbers)
        if number % 10:
            return self._newest_50
        item = self.item("board", PARTITION_ITEMS + number)
        return request(self._port, "PutItem", {"TableName": "bench", "Item": item})

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


Make = Callable[[], bytes]


def steps(work: Workload) -> dict[str, tuple[Make, int]]:
    """What is measured, in order: how to make a request, and how many clients send them."""
    return {
        "PutItem 200 B, 1 client": (work.put, 1),
        "PutItem 200 B, 8 clients": (work.put, 8),
        "GetItem, 8 clients": (work.get, 8),
        "UpdateItem ADD, 8 clients": (work.increment, 8),
        f"Query newest 50 of {PARTITION_ITEMS:,}, 1 client": (work.newest_50(), 1),
        f"Query newest 50 of {PARTITION_ITEMS:,}, 8 clients": (work.newest_50(), 8),
        f"Query 50 of {PARTITION_ITEMS:,}, each its own, 8 clients": (work.older_50, 8),
        "Query newest 50, every tenth a PutItem, 8 clients": (work.posts_and_pages, 8),
        "Query 50 with filter and projection, 8 clients": (work.filtered_50(), 8),
        "TransactWriteItems of 10, 8 clients": (work.transact_10, 8),
    }


Column = dict[str, Measured | str]
"""The rows of one engine: measurements, and what is only told (memory, time to the first answer)."""


def compare(engines: Mapping[str, str], seconds: float) -> dict[str, Column]:
    """A column for the store in memory, one for it in a file, and one for each engine (name and command).

    All engines are up all the time and take turns within every row, three times, and the best turn counts: a busy
    neighbour then disturbs all of them or none.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        ours = f"{sys.executable} -m groundschool.dynamodb --port {{port}}"
        commands = {"memory": f"{ours} --memory", "file": f"{ours} --data {Path(folder) / 'store.db'}", **engines}
        table: dict[str, Column] = {}
        places: dict[str, tuple[Engine, dict[str, tuple[Make, int]]]] = {}
        for position, (name, command) in enumerate(commands.items()):
            engine = running.enter_context(started(name, command, PORT + position))
            ready = f"{engine.ready_seconds * 1000:.0f} ms"
            table[name] = {"Start to first answer": ready, "Memory, idle": f"{engine.memory() / 1e6:.0f} MB"}
            work = Workload(engine.port)
            work.create("bench")
            work.fill("bench", "board", PARTITION_ITEMS)
            places[name] = engine, steps(work)
        for row in next(iter(places.values()))[1]:
            for name, best in _best_turns(places, row, seconds).items():
                table[name][row] = best
        for name, (engine, _) in places.items():
            table[name]["Memory, afterwards"] = f"{engine.memory() / 1e6:.0f} MB"
        return table


def _best_turns(
    places: Mapping[str, tuple[Engine, dict[str, tuple[Make, int]]]], row: str, seconds: float
) -> dict[str, Measured]:
    """The fastest turn of every engine that answers."""
    turns: dict[str, list[Measured]] = {name: [] for name in places}
    for _ in range(TURNS):
        for name in list(turns):
            engine, todo = places[name]
            make, clients = todo[row]
            try:
                turns[name].append(measure(engine.port, make, clients=clients, seconds=seconds, server_cpu=engine.cpu))
            except TimeoutError:
                del turns[name]
    return {name: max(seen, key=lambda turn: turn.rate) for name, seen in turns.items()}


def show(seen: Measured | str) -> str:
    """Operations per second, median and 99th-percentile latency, and the server's processor time for one."""
    if isinstance(seen, str):
        return seen
    if seen.failures > seen.requests:
        return "not supported"
    failed = f" ({seen.failures} failed)" if seen.failures else ""
    return (
        f"{seen.rate:,.0f} ({seen.median * 1000:.2f} / {seen.p99 * 1000:.2f} ms; "
        f"{seen.server_cpu_each * 1e6:,.0f} µs){failed}"
    )


def ratio(ours: Measured | str, theirs: Measured | str | None) -> str:
    """How many times their rate ours is, and their processor time ours."""
    if not (isinstance(ours, Measured) and isinstance(theirs, Measured)) or theirs.failures > theirs.requests:
        return ""
    return f"{ours.rate / theirs.rate:.1f}x, {theirs.server_cpu_each / ours.server_cpu_each:.1f}x"


def print_table(rows: Mapping[str, Mapping[str, str]]) -> None:
    """Markdown; the names of the columns are those of the first row."""
    columns = next(iter(rows.values()))
    print("| | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for row, cells in rows.items():
        print(f"| {row} | " + " | ".join(cells.values()) + " |")


def report(engines: Mapping[str, str], seconds: float) -> None:
    """Measures and prints: the machine, the table, the ratios, and what the load generator cost."""
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before, SQLite {sqlite3.sqlite_version}")
    table = compare(engines, seconds)
    ours = table["memory"]
    print_table({row: {name: show(column.get(row, "no answer")) for name, column in table.items()} for row in ours})
    print("\nThe store in memory against each: times its operations per second, and times less processor time for one")
    measured = [row for row, seen in ours.items() if isinstance(seen, Measured)]
    if engines:
        print_table({row: {name: ratio(ours[row], table[name].get(row)) for name in engines} for row in measured})
    costs = [seen.client_cpu_each * 1e6 for seen in ours.values() if isinstance(seen, Measured)]
    print(f"\nThe load generator took {min(costs):.0f} to {max(costs):.0f} µs for a request of its own processor time.")
    print(f"Load average afterwards: {os.getloadavg()[0]:.1f}")


@click.command()
@click.option("--engine", "engines", multiple=True, help="NAME=COMMAND, with {port} in the command.")
@click.option("--seconds", default=0.7, show_default=True, help="Per measurement.")
def main(engines: tuple[str, ...], seconds: float) -> None:
    """Prints Markdown: operations per second (median and 99th-percentile latency; the server's CPU time for one)."""
    report(dict(engine.split("=", 1) for engine in engines), seconds)


if __name__ == "__main__":
    main()
