"""The Visitor Board over a board that is not there: one ready-made page, so that only app and server cost anything."""

from __future__ import annotations

import time

from visitor_board.feed import Counts, Page
from visitor_board.guard import RateLimit
from visitor_board.instance import Instance
from visitor_board.message import Message, new_id
from visitor_board.telemetry import Metrics
from visitor_board.web import create_app


class StillBoard:
    """Answers 25 messages; reading older ones takes a second, to see what a server does with a request in flight."""

    def __init__(self) -> None:
        now = time.time()
        messages = [
            Message(new_id(now - n), f"hello from message number {n}, " * 3, f"i-{n % 3:017x}") for n in range(25)
        ]
        self._page = Page(tuple(messages), messages[-1].id, Counts(17, {f"i-{n:017x}": 8 for n in range(3)}))

    def newest(self, limit: int, *, consistent: bool = False) -> Page:
        return self._page

    def older(self, limit: int, before: str) -> Page:
        time.sleep(1.0)
        return self._page

    def post(self, text: str, token: str | None) -> Message:
        return self._page.messages[0]

    def count_visitor(self) -> None:
        return

    def probe(self) -> None:
        return


app = create_app(StillBoard(), Instance("i-0", "eu-north-1a", on_ec2=True), Metrics("i-0"), RateLimit(0))
