"""What the web tier sees of a data model: pages of messages, posts and counts. ``feed`` and ``scan`` implement it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from visitor_board.message import Message


class TokenReused(Exception):
    """The client token was used before, for another text."""


@dataclass(frozen=True)
class Counts:
    """What the counters say: browsers seen, and messages by the instance that took them."""

    visitors: int = 0
    posts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Messages, newest first.

    ``next`` is the cursor of the older ones, None at the end. Counts come with the newest page only.
    """

    messages: tuple[Message, ...]
    next: str | None
    counts: Counts | None


class Board(Protocol):
    """Every call raises StoreError when the table does not answer."""

    def newest(self, limit: int, *, consistent: bool = False) -> Page: ...

    def older(self, limit: int, before: str) -> Page:
        """Messages before that message id."""

    def post(self, text: str, token: str | None) -> Message:
        """Stores a checked text, once per client token. Raises TokenReused."""

    def count_visitor(self) -> None: ...

    def probe(self) -> None:
        """The cheapest read that proves that the table answers."""
