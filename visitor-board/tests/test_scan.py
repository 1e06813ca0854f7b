"""The older design does what it did: these tests hold the experiment's subject still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from visitor_board import table
from visitor_board.feed import Feed
from visitor_board.message import Message, new_id
from visitor_board.scan import ScanBoard
from visitor_board.settings import Settings
from visitor_board.store_client import StoreClient


@pytest.fixture
def scanned(settings: Settings) -> Settings:
    return replace(settings, model="scan")


def test_it_shows_the_newest_messages_of_a_small_table(settings: Settings, scanned: Settings) -> None:
    client = StoreClient(settings.region, settings.endpoint)
    table.create(client, scanned)  # partition key id
    board = ScanBoard(client, scanned, "i-1")
    posted = [board.post(f"{n}", None) for n in range(7)]
    board.count_visitor()
    page = board.newest(5, consistent=True)
    assert list(page.messages) == sorted(posted, key=lambda m: m.id, reverse=True)[:5]
    assert page.counts is not None
    assert (page.counts.visitors, page.counts.posts) == (1, {"i-1": 7})
    assert [m.id for m in board.older(5, page.next or "").messages] == sorted(m.id for m in posted)[:2][::-1]
    client.close()


def test_it_reads_the_feed_models_table(client: StoreClient, settings: Settings, scanned: Settings) -> None:
    posted = Feed(client, settings, "i-1").post("hello", None)
    board = ScanBoard(client, scanned, "i-2")
    board.post("from scan", None)
    assert [message.text for message in board.newest(5, consistent=True).messages] == ["from scan", "hello"]
    assert posted in board.newest(5, consistent=True).messages


def test_past_one_megabyte_it_misses_messages(client: StoreClient, settings: Settings, scanned: Settings) -> None:
    feed = Feed(client, settings, "i-1")
    for n in range(700):
        item = feed.to_item(Message(new_id(1.7e9 + n), "x" * 1700, "i-1"))
        client.call("PutItem", {"TableName": settings.table_name, "Item": item})
    newest = feed.newest(1, consistent=True).messages[0]
    assert newest not in ScanBoard(client, scanned, "i-1").newest(25, consistent=True).messages
