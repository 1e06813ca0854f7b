"""A million items in a file: does it stay as fast and as small? ``python bench/dynamodb/million.py``."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from compare import PORT, Engine, Workload, print_table, started
from load import Measured, measure, request

SMALL, STEP, ROUNDS = 1_000, 100_000, 5
ITEMS = 1_000_000


@click.command()
@click.option("--items", default=ITEMS, show_default=True)
@click.option("--seconds", default=0.5, show_default=True, help="Per measurement.")
def main(items: int, seconds: float) -> None:
    """Writes the items and prints the memory every 100,000; then compares with a table of 1,000."""
    report(items, seconds)


def report(items: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = f"{sys.executable} -m groundschool.dynamodb --port {{port}} --data {Path(folder) / 'store.db'}"
        with started("file", command, PORT) as engine:
            work = Workload(engine.port)
            for table in ("small", "large"):
                work.create(table)
            work.fill("small", "board", SMALL)
            memory: list[float] = []
            _write(work, engine.port, items, lambda _done: memory.append(engine.memory() / 1e6))
            shown = ", ".join(f"{megabytes:.0f}" for megabytes in memory)
            print(f"Memory after every {STEP:,} items written, MB: {shown}\n")
            rows = {}
            for clients in (1, 8):
                counted = f"{clients} client{'s' if clients > 1 else ''}"
                rows[f"GetItem, {counted}"] = _row(
                    engine, items, lambda table, count: lambda: work.get(table, count), clients, seconds
                )
                rows[f"Query newest 50, {counted}"] = _row(
                    engine, items, lambda table, _count: work.newest_50(table), clients, seconds
                )
            print_table(rows)
            print(f"\nMemory at the end: {engine.memory() / 1e6:.0f} MB")


def _row(
    engine: Engine,
    items: int,
    make: Callable[[str, int], Callable[[], bytes]],
    clients: int,
    seconds: float,
) -> dict[str, str]:
    """The best median and the least processor time of several short runs, taken in turns: a neighbour disturbs both."""
    runs: dict[str, list[Measured]] = {"small": [], "large": []}
    for _ in range(ROUNDS):
        for table, count in (("small", SMALL), ("large", items)):
            runs[table].append(
                measure(engine.port, make(table, count), clients=clients, seconds=seconds, server_cpu=engine.cpu)
            )
    few, many = (min(run.median for run in runs[table]) * 1e6 for table in runs)
    cheap, dear = (min(run.server_cpu_each for run in runs[table]) * 1e6 for table in runs)
    return {
        f"{SMALL:,} items": f"{few:.0f} µs; {cheap:.0f} µs",
        f"{items:,} items": f"{many:.0f} µs; {dear:.0f} µs",
        "median; server's processor time": f"{many / few:.2f}x; {dear / cheap:.2f}x",
    }


def _write(work: Workload, port: int, items: int, tell: Callable[[int], None]) -> None:
    """Batches of 25 over one connection; ``tell`` is called with the number of items written."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for first in range(0, items, 25):
            puts = [{"PutRequest": {"Item": work.item("board", number)}} for number in range(first, first + 25)]
            connection.sendall(request(port, "BatchWriteItem", {"RequestItems": {"large": puts}}))
            answer = connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            if (first + 25) % STEP == 0:
                tell(first + 25)


if __name__ == "__main__":
    main()
