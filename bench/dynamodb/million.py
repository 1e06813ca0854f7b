"""A million items in a file: does it stay as fast and as small? ``python bench/dynamodb/million.py``."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from compare import PORT, Workload, started
from load import measure, request

SMALL, STEP, ROUNDS = 1_000, 100_000, 5


@click.command()
@click.option("--items", default=1_000_000, show_default=True)
@click.option("--seconds", default=0.6, show_default=True, help="Per measurement.")
def main(items: int, seconds: float) -> None:
    """Writes the items and prints the memory every 100,000; then compares with a table of 1,000."""
    with tempfile.TemporaryDirectory() as folder:
        command = f"{sys.executable} -m groundschool.dynamodb --port {{port}} --data {Path(folder) / 'store.db'}"
        with started("file", command, PORT) as engine:
            work = Workload(engine.port)
            for table in ("small", "large"):
                work.create(table)
            work.fill("small", "board", SMALL)
            _write(work, engine.port, items, lambda done: print(f"{done:>9,} items: {engine.memory() / 1e6:.0f} MB"))
            for name, make in (
                ("GetItem", lambda table, count: lambda: work.get(table, count)),
                ("Query newest 50", lambda table, _count: work.newest_50(table)),
            ):
                # Several short runs and the best of each: a busy neighbour must not decide the comparison.
                medians = {
                    table: min(
                        measure(engine.port, make(table, count), clients=1, seconds=seconds).median
                        for _ in range(ROUNDS)
                    )
                    for table, count in (("small", SMALL), ("large", items))
                }
                few, many = medians["small"] * 1e6, medians["large"] * 1e6
                print(f"{name}: {few:.0f} us of {SMALL:,} items, {many:.0f} us of {items:,}: {many / few:.2f}x")
            print(f"memory at the end: {engine.memory() / 1e6:.0f} MB")


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
