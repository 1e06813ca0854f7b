"""A per-instance cache of the newest page: reads no longer grow with visitors, the page is a little old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from visitor_board.board import Board, Page
from visitor_board.message import Message


class CachedBoard:
    """Answers the newest page from memory for up to ``seconds``; one thread at a time refreshes it.

    The bound holds: a page older than ``seconds`` is never shown. A consistent read (what an author sees after a post)
    goes to the table.
    """

    def __init__(self, board: Board, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._board, self._seconds, self._clock = board, seconds, clock
        self._lock = threading.Lock()
        self._pages: dict[int, tuple[float, Page]] = {}

    def newest(self, limit: int, *, consistent: bool = False) -> Page:
        if consistent:
            return self._board.newest(limit, consistent=True)
        kept = self._fresh(limit)
        if kept is None:
            with self._lock:
                kept = self._fresh(limit)
                if kept is None:
                    read_at = self._clock()
                    kept = self._board.newest(limit)
                    self._pages[limit] = (read_at, kept)
        return kept

    def _fresh(self, limit: int) -> Page | None:
        read_at, page = self._pages.get(limit, (0.0, None))
        return page if page is not None and self._clock() - read_at < self._seconds else None

    def older(self, limit: int, before: str) -> Page:
        return self._board.older(limit, before)

    def post(self, text: str, token: str | None) -> Message:
        return self._board.post(text, token)

    def count_visitor(self) -> None:
        self._board.count_visitor()

    def probe(self) -> None:
        self._board.probe()
