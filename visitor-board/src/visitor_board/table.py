"""The table: creating it, and filling it with messages to try things on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence

from visitor_board import feed, scan
from visitor_board.message import Message, new_id
from visitor_board.settings import Settings
from visitor_board.store_client import Item, StoreClient, StoreError

_WORDS = (
    "hello from the cloud scaling feels like watching rain fill two buckets instead of one every visitor counts".split()
)
_BATCH = 25
"""Items DynamoDB takes in one BatchWriteItem."""


def create(client: StoreClient, settings: Settings, wait: float = 60.0) -> None:
    """Creates the table on demand, waits until it is active, and switches TTL on. Raises StoreError."""
    schema = scan.KEY_SCHEMA if settings.model == "scan" else feed.KEY_SCHEMA
    name = {"TableName": settings.table_name}
    client.call("CreateTable", {**name, **schema, "BillingMode": "PAY_PER_REQUEST"}, repeatable=False)
    ends = time.monotonic() + wait
    while client.call("DescribeTable", name)["Table"]["TableStatus"] != "ACTIVE":
        if time.monotonic() > ends:
            raise StoreError("TableNotActive", f"{settings.table_name} is not active after {wait:.0f} s")
        time.sleep(0.2)
    ttl = {"Enabled": True, "AttributeName": "expires_at"}
    client.call("UpdateTimeToLive", {**name, "TimeToLiveSpecification": ttl}, repeatable=False)


def seed(client: StoreClient, settings: Settings, number: int, days: float = 7.0) -> Iterator[int]:
    """Stores messages spread evenly over the last days; yields how many are stored so far. Raises StoreError."""
    now, rng = time.time(), random.Random(number)  # noqa: S311 - sample texts
    to_item = scan.to_item if settings.model == "scan" else feed.Feed(client, settings, "seed").to_item
    for start in range(0, number, _BATCH):
        ends = min(start + _BATCH, number)
        messages = [
            Message(new_id(now - days * feed.DAY * (number - n) / number), _text(rng, n), f"seed-{n % 3}")
            for n in range(start, ends)
        ]
        _write(client, settings.table_name, [to_item(message) for message in messages])
        yield ends


def _write(client: StoreClient, table: str, items: Sequence[Item]) -> None:
    left = {table: [{"PutRequest": {"Item": item}} for item in items]}
    for attempt in range(10):
        left = client.call("BatchWriteItem", {"RequestItems": left}).get("UnprocessedItems") or {}
        if not left:
            return
        time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
    raise StoreError("UnprocessedItems", f"{table} does not take the items; it is throttled")


def _text(rng: random.Random, number: int) -> str:
    return f"{' '.join(rng.choices(_WORDS, k=rng.randint(4, 16)))} ({number})"
