from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from visitor_board import table
from visitor_board.board import TokenReused
from visitor_board.feed import DAY, Feed
from visitor_board.message import Message, new_id
from visitor_board.settings import Settings
from visitor_board.store_client import ConditionFailed, StoreClient, StoreError

TOKEN = "token-0123456789"


class Recorded:
    """A client that passes calls on and remembers them; ``fail(operation, n)`` makes the n-th of an operation fail."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._failing: set[tuple[str, int]] = set()

    def fail(self, operation: str, nth: int) -> None:
        self._failing.add((operation, nth))

    def call(self, operation: str, request: dict[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        self.calls.append((operation, request))
        if (operation, [one for one, _ in self.calls].count(operation)) in self._failing:
            raise StoreError("ThrottlingException", "Rate exceeded")
        return self._client.call(operation, request, repeatable=repeatable)


def everything(feed: Feed, limit: int) -> list[Message]:
    page = feed.newest(limit, consistent=True)
    messages = list(page.messages)
    while page.next:
        page = feed.older(limit, page.next)
        messages += page.messages
    return messages


def test_an_empty_board_has_an_empty_page(feed: Feed) -> None:
    page = feed.newest(25)
    assert (page.messages, page.next) == ((), None)
    assert page.counts is not None
    assert page.counts.visitors == 0


def test_a_post_is_the_newest_message_at_once(feed: Feed) -> None:
    feed.post("first", None)
    posted = feed.post("second", None)
    page = feed.newest(25, consistent=True)
    assert [message.text for message in page.messages] == ["second", "first"]
    assert page.messages[0] == posted
    assert posted.instance == "i-1"


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("number", [9, 10, 11])
def test_paging_shows_every_message_once_newest_first(
    client: StoreClient, settings: Settings, shards: int, number: int
) -> None:
    feed = Feed(client, replace(settings, write_shards=shards), "i-1")
    posted = [feed.post(f"message {n}", None).id for n in range(number)]
    assert [message.id for message in everything(feed, 5)] == sorted(posted, reverse=True)


def test_there_is_a_next_page_only_when_older_messages_exist(feed: Feed) -> None:
    for n in range(5):
        feed.post(f"{n}", None)
    assert feed.newest(5).next is None
    assert feed.newest(4).next == feed.newest(4).messages[-1].id


def test_a_page_is_one_query_however_long_the_feed(client: StoreClient, settings: Settings) -> None:
    for _ in table.seed(client, settings, 500):
        pass
    recorded = Recorded(client)
    feed = Feed(recorded, settings, "i-1")  # type: ignore[arg-type]
    feed.newest(25)
    feed.older(25, feed.newest(25).messages[-1].id)
    assert [operation for operation, _ in recorded.calls] == ["Query"] * 3
    assert all(request["Limit"] < 40 for _, request in recorded.calls)


def test_many_counters_do_not_hide_messages(client: StoreClient, settings: Settings) -> None:
    for n in range(60):
        Feed(client, settings, f"i-{n:03}").post(f"from {n}", None)
    page = Feed(client, settings, "i-1").newest(25, consistent=True)
    assert len(page.messages) == 25
    assert page.counts is not None
    assert page.counts.posts == {f"i-{n:03}": 1 for n in range(60)}


@pytest.mark.parametrize("shards", [1, 4])
def test_counters_add_up_over_instances_and_shards(client: StoreClient, settings: Settings, shards: int) -> None:
    sharded = replace(settings, write_shards=shards)
    fleet = [Feed(client, sharded, name) for name in ("i-1", "i-2")]
    for n in range(12):
        fleet[n % 3 == 0].post(f"{n}", None)
        fleet[0].count_visitor()
    counts = fleet[0].newest(25, consistent=True).counts
    assert counts is not None
    assert counts.visitors == 12
    assert counts.posts == {"i-1": 8, "i-2": 4}


def test_the_same_token_stores_one_message(client: StoreClient, settings: Settings) -> None:
    first = Feed(client, settings, "i-1").post("hello", TOKEN)
    again = Feed(client, settings, "i-2").post("hello", TOKEN)
    assert again == first
    page = Feed(client, settings, "i-1").newest(25, consistent=True)
    assert page.messages == (first,)
    assert page.counts is not None
    assert page.counts.posts == {"i-1": 1}


def test_a_token_with_another_text_is_refused(feed: Feed) -> None:
    feed.post("hello", TOKEN)
    with pytest.raises(TokenReused):
        feed.post("goodbye", TOKEN)
    assert [message.text for message in feed.newest(25, consistent=True).messages] == ["hello"]


def test_a_retry_completes_what_a_killed_instance_began(client: StoreClient, settings: Settings) -> None:
    dying = Recorded(client)
    dying.fail("PutItem", 2)  # the token was claimed, the message was not written
    with pytest.raises(StoreError):
        Feed(dying, settings, "i-1").post("hello", TOKEN)  # type: ignore[arg-type]
    survivor = Feed(client, settings, "i-2")
    assert survivor.newest(25, consistent=True).messages == ()
    survivor.post("hello", TOKEN)
    survivor.post("hello", TOKEN)
    assert [message.text for message in survivor.newest(25, consistent=True).messages] == ["hello"]


def test_a_put_that_is_retried_after_it_succeeded_is_a_success(feed: Feed, client: StoreClient) -> None:
    item = feed.to_item(Message(new_id(time.time()), "hello", "i-1"))
    feed._put(item)
    with pytest.raises(ConditionFailed) as caught:
        feed._put(item)
    assert caught.value.item["text"] == {"S": "hello"}


def test_a_post_whose_counter_fails_is_acknowledged(client: StoreClient, settings: Settings) -> None:
    recorded = Recorded(client)
    recorded.fail("UpdateItem", 1)
    feed = Feed(recorded, settings, "i-1")  # type: ignore[arg-type]
    assert feed.post("hello", None).text == "hello"
    assert len(feed.newest(25, consistent=True).messages) == 1


def test_messages_expire_when_told_to(client: StoreClient, settings: Settings) -> None:
    now = time.time()
    keeping = replace(settings, message_days=1.0)
    Feed(client, keeping, "i-1", clock=lambda: now - 2 * DAY).post("old", None)
    feed = Feed(client, keeping, "i-1", clock=lambda: now)
    posted = feed.post("new", None)
    item = feed.to_item(posted)
    assert int(item["expires_at"]["N"]) == int(posted.posted_at.timestamp() + DAY)
    assert [message.text for message in feed.newest(25, consistent=True).messages] == ["new"]


def test_the_table_is_on_demand_with_ttl_and_no_index(client: StoreClient, settings: Settings) -> None:
    name = {"TableName": settings.table_name}
    described = client.call("DescribeTable", name)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in described["KeySchema"]] == ["pk", "sk"]
    assert not described.get("GlobalSecondaryIndexes")
    ttl = client.call("DescribeTimeToLive", name)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires_at"
