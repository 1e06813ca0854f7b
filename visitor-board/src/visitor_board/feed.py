"""The board on DynamoDB: a single-table design for a time-ordered feed.

    pk            sk                   attributes
    board#<n>     message#<uuid7>       text, instance[, expires_at]                one per message
    board#<n>     posts#<instance>     posts, expires_at                           messages taken by an instance
    board#<n>     visitors             visitors                                    browsers seen
    token#<t>     token                message, home, digest, expires_at           a client token that was used

``n`` is a write shard. The sort key orders by time. The counters sort above every message, so that one Query, newest
first, returns counters and newest messages together: a page costs one Query per shard, whatever the table's size.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import zlib
from collections.abc import Callable
from typing import Any

from visitor_board.board import Counts, Page, TokenReused
from visitor_board.message import Message, first_id, new_id
from visitor_board.settings import Settings
from visitor_board.store_client import ConditionFailed, Item, StoreClient, StoreError

DAY = 86_400
TOKEN_DAYS = 1
COUNTER_DAYS = 30
"""A counter of an instance that took no post for so long expires: a table must not collect its fleet's dead."""
KEY_SCHEMA = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
}


class Feed:
    """The board as a Query model."""

    def __init__(
        self, client: StoreClient, settings: Settings, instance: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._table, self._instance, self._clock = client, settings.table_name, instance, clock
        self._shards = [f"board#{n}" for n in range(settings.write_shards)]
        self._keep = settings.message_days * DAY
        self._counters_seen = 8

    def newest(self, limit: int, *, consistent: bool = False) -> Page:
        items = [item for home in self._shards for item in self._read(home, limit, "~", consistent)]
        return _page([item for item in items if _is_message(item)], limit, _counts(items))

    def older(self, limit: int, before: str) -> Page:
        return _page([i for home in self._shards for i in self._read(home, limit, f"message#{before}")], limit, None)

    def _read(self, home: str, limit: int, below: str, consistent: bool = False) -> list[Item]:
        """Reads a shard downward to one message more than asked for: it tells whether there is a next page."""
        oldest = first_id(self._clock() - self._keep) if self._keep else ""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :home AND sk BETWEEN :oldest AND :below",
            "ExpressionAttributeValues": {
                ":home": {"S": home},
                ":oldest": {"S": f"message#{oldest}"},
                ":below": {"S": below},
            },
            "ScanIndexForward": False,
            "ConsistentRead": consistent,
            "Limit": limit + 1 + (self._counters_seen if below == "~" else 1),
        }
        items: list[Item] = []
        while True:
            answer = self._client.call("Query", request)
            items += [item for item in answer["Items"] if item["sk"]["S"] != below]
            counters = sum(not _is_message(item) for item in items)
            if below == "~":
                self._counters_seen = counters + 1
            if "LastEvaluatedKey" not in answer or len(items) - counters > limit:
                return items
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def post(self, text: str, token: str | None) -> Message:
        item = self.to_item(Message(new_id(self._clock()), text, self._instance))
        if token is not None:
            self._claim(token, item)
        try:
            self._put(item)
        except ConditionFailed as stored:
            return _message(stored.item)
        with contextlib.suppress(StoreError):  # the message is stored: that is what the author is told
            self._count(item["pk"]["S"], f"posts#{self._instance}", "posts", expires=True)
        return _message(item)

    def to_item(self, message: Message) -> Item:
        """The message as it is stored; its id decides the shard."""
        shard = zlib.crc32(message.id.encode()) % len(self._shards)
        item: Item = {
            "pk": {"S": self._shards[shard]},
            "sk": {"S": f"message#{message.id}"},
            "text": {"S": message.text},
            "instance": {"S": message.instance},
        }
        if self._keep:
            item["expires_at"] = {"N": str(int(message.posted_at.timestamp() + self._keep))}
        return item

    def _claim(self, token: str, item: Item) -> None:
        """Ties the token to the item's key before the item is written.

        Whoever comes second, a double click or a retry after a crash between the two writes, gets the first one's key
        put into its item, and writing there is conditional: one token, one message.
        """
        digest = hashlib.blake2b(item["text"]["S"].encode(), digest_size=8).hexdigest()
        claim: Item = {
            "pk": {"S": f"token#{token}"},
            "sk": {"S": "token"},
            "home": item["pk"],
            "message": item["sk"],
            "digest": {"S": digest},
            "expires_at": {"N": str(int(self._clock() + TOKEN_DAYS * DAY))},
        }
        try:
            self._put(claim)
        except ConditionFailed as earlier:
            claim = earlier.item
        if claim["digest"]["S"] != digest:
            raise TokenReused(token)
        item["pk"], item["sk"] = claim["home"], claim["message"]

    def count_visitor(self) -> None:
        home = self._shards[time.monotonic_ns() % len(self._shards)]
        self._count(home, "visitors", "visitors", expires=False)

    def probe(self) -> None:
        key = {"pk": {"S": self._shards[0]}, "sk": {"S": "visitors"}}
        self._client.call("GetItem", {"TableName": self._table, "Key": key})

    def _put(self, item: Item) -> None:
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        self._client.call("PutItem", request)

    def _count(self, home: str, sk: str, counter: str, *, expires: bool) -> None:
        values = {":one": {"N": "1"}}
        update = "ADD #counter :one"
        if expires:
            update += " SET expires_at = :later"
            values[":later"] = {"N": str(int(self._clock() + COUNTER_DAYS * DAY))}
        request = {
            "TableName": self._table,
            "Key": {"pk": {"S": home}, "sk": {"S": sk}},
            "UpdateExpression": update,
            "ExpressionAttributeNames": {"#counter": counter},
            "ExpressionAttributeValues": values,
        }
        self._client.call("UpdateItem", request, repeatable=False)


def _is_message(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith("message#"))


def _message(item: Item) -> Message:
    return Message(item["sk"]["S"].removeprefix("message#"), item["text"]["S"], item["instance"]["S"])


def _page(items: list[Item], limit: int, counts: Counts | None) -> Page:
    items.sort(key=lambda item: item["sk"]["S"], reverse=True)
    messages = tuple(_message(item) for item in items[:limit])
    return Page(messages, messages[-1].id if len(items) > limit else None, counts)


def _counts(items: list[Item]) -> Counts:
    visitors, posts = 0, dict[str, int]()
    for item in items:
        kind, _, instance = item["sk"]["S"].partition("#")
        if kind == "visitors":
            visitors += int(item["visitors"]["N"])
        elif kind == "posts":
            posts[instance] = posts.get(instance, 0) + int(item["posts"]["N"])
    return Counts(visitors, dict(sorted(posts.items())))
