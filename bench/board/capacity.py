"""What a page view and a post cost in DynamoDB's capacity units, for both data models.

    python bench/board/capacity.py --endpoint http://127.0.0.1:8000 > docs/visitor-board-capacity.md

Every number is the sum of the ConsumedCapacity that the table answers; a test compares the file with a new run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Any

from visitor_board import table
from visitor_board.board import Board
from visitor_board.feed import Feed
from visitor_board.scan import ScanBoard
from visitor_board.settings import Settings
from visitor_board.store_client import StoreClient

SIZES = (100, 1_000, 10_000)
TEXT = "a message of the usual length, about sixty characters long."
END_OF_TIME = "f" * 12 + "7" + "f" * 19
"""A cursor that everything is older than: the position does not matter, the number of items read does."""
READS = ("Query", "Scan", "GetItem")

HEAD = """# What the Visitor Board costs in capacity units

Printed by `bench/board/capacity.py` from the `ConsumedCapacity` of every call; a test fails when this file and a new
run differ. A page shows 25 messages of about 60 characters. Reads are eventually consistent except where said.
RRU = read request unit (4 KB strongly consistent, 8 KB eventually consistent), WRU = write request unit (1 KB).

"""

TAIL = """
**Read it like this.** The feed's page costs the same at 100 and at 10,000 messages, because one Query reads the 26
newest items and the counters, whatever lies behind them. The scan's page reads everything up to DynamoDB's 1 MB, about
128 RRU, and from there on its cost stops growing only because it stops being right: what is behind the first megabyte
is not shown. A post with a client token pays one WRU more than one without, for a retry that can never double it, and
one WRU counts it. As a transaction the same three writes would cost six WRU.
"""


class Metered:
    """A client that adds up what its calls consume."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client
        self.read = self.written = 0.0
        self.calls = 0

    def call(self, operation: str, request: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """Passes the call on."""
        answer = self._client.call(operation, {**request, "ReturnConsumedCapacity": "TOTAL"}, repeatable=repeatable)
        units = answer["ConsumedCapacity"]["CapacityUnits"]
        self.calls += 1
        if operation in READS:
            self.read += units
        else:
            self.written += units
        return answer


def cost(client: StoreClient, make: Callable[[Any], Board], act: Callable[[Board], object]) -> str:
    """What an action consumes, as a cell of the table."""
    metered = Metered(client)
    board = make(metered)
    board.newest(25)  # a feed learns how many counters there are
    metered.read = metered.calls = 0
    act(board)
    parts = [f"{metered.read:g} RRU"] if metered.read else []
    parts += [f"{metered.written:g} WRU"] if metered.written else []
    return f"{' + '.join(parts)} ({metered.calls})"


def new_visitor(board: Board) -> None:
    board.count_visitor()
    board.newest(25)


ACTIONS: dict[str, Callable[[Board], object]] = {
    "Page view, returning visitor; one poll": lambda board: board.newest(25),
    "Page view, new visitor": new_visitor,
    "Page after one's own post (consistent)": lambda board: board.newest(25, consistent=True),
    "An older page": lambda board: board.older(25, END_OF_TIME),
    "Post without client token": lambda board: board.post(TEXT, None),
    "Post with client token": lambda board: board.post(TEXT, os.urandom(8).hex()),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint
    columns: list[tuple[str, StoreClient, Callable[[Any], Board]]] = []
    for model, kind in (("feed", Feed), ("scan", ScanBoard)):
        for size in SIZES:
            name = f"capacity_{model}_{size}_{os.getpid()}"
            settings = Settings(endpoint=endpoint, table_name=name, model=model)
            client = StoreClient(settings.region, endpoint)
            table.create(client, settings)
            list(table.seed(client, settings, size))
            make = lambda metered, kind=kind, settings=settings: kind(metered, settings, "i-0a1b2c3d4e5f60718")  # noqa: E731
            make(client).post(TEXT, None)  # the instance's counter exists
            make(client).count_visitor()
            columns.append((f"{model}, {size:,}", client, make))
    print(HEAD + "| Units (calls) | " + " | ".join(name for name, _, _ in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for action, act in ACTIONS.items():
        cells = [cost(client, make, act) for _, client, make in columns]
        print(f"| {action} | " + " | ".join(cells) + " |")
    print(TAIL, end="")
    for _, client, _ in columns:
        client.close()


if __name__ == "__main__":
    main()
