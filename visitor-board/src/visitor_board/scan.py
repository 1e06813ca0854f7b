"""The older design, kept for the experiment that shows why not: every page view scans the table.

Read it beside ``feed``. A Scan answers at most 1 MB, in the order of the keys' hashes: past some thousand messages the
page is slow, dear and wrong (the newest message may not be on it). Items carry ``id``, the older table's partition key,
and also ``pk`` and ``sk``, so that both models can be tried on one table with the same messages.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from visitor_board.board import Counts, Page
from visitor_board.message import Message, new_id
from visitor_board.settings import Settings
from visitor_board.store_client import Item, StoreClient

KEY_SCHEMA = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


class ScanBoard:
    """The board as a Scan model. Client tokens are ignored: a retry doubles the message, as it did then."""

    def __init__(
        self, client: StoreClient, settings: Settings, instance: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._table, self._instance, self._clock = client, settings.table_name, instance, clock

    def newest(self, limit: int, *, consistent: bool = False) -> Page:
        return self._scan(limit, None, consistent)

    def older(self, limit: int, before: str) -> Page:
        return self._scan(limit, before, consistent=False)

    def _scan(self, limit: int, before: str | None, consistent: bool) -> Page:
        answer = self._client.call("Scan", {"TableName": self._table, "ConsistentRead": consistent})
        messages = sorted((_message(i) for i in answer["Items"] if "text" in i), key=lambda m: m.id, reverse=True)
        counts = Counts(_visitors(answer["Items"]), dict(sorted(Counter(m.instance for m in messages).items())))
        if before is not None:
            messages = [message for message in messages if message.id < before]
        shown = tuple(messages[:limit])
        more = len(messages) > limit
        return Page(shown, shown[-1].id if more else None, counts if before is None else None)

    def post(self, text: str, token: str | None) -> Message:
        message = Message(new_id(self._clock()), text, self._instance)
        self._client.call("PutItem", {"TableName": self._table, "Item": to_item(message)})
        return message

    def count_visitor(self) -> None:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": _keyed(f"visitor-{new_id(self._clock())}", "visitor"),
        }
        self._client.call("PutItem", request)

    def probe(self) -> None:
        self._client.call("Scan", {"TableName": self._table, "Limit": 1})


def to_item(message: Message) -> Item:
    """The message as it is stored."""
    text_and_instance: Item = {"text": {"S": message.text}, "instance": {"S": message.instance}}
    return _keyed(message.id, f"message#{message.id}") | text_and_instance


def _keyed(item_id: str, sk: str) -> Item:
    return {"id": {"S": item_id}, "pk": {"S": item_id}, "sk": {"S": sk}}


def _message(item: Item) -> Message:
    message_id = item["id"] if "id" in item else item["sk"]
    return Message(message_id["S"].removeprefix("message#"), item["text"]["S"], item["instance"]["S"])


def _visitors(items: list[Item]) -> int:
    """One item per visitor, as then, and the feed's counter where it is seen."""
    counted = sum(int(item["visitors"]["N"]) for item in items if "visitors" in item)
    return counted + sum("id" in item and "text" not in item for item in items)
