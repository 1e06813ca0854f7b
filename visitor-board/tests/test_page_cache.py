from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from visitor_board.board import Counts, Page
from visitor_board.page_cache import CachedBoard
from visitor_board.store_client import StoreError


class Numbered:
    """A board whose n-th read has n visitors."""

    reads = 0
    away = False

    def newest(self, limit: int, *, consistent: bool = False) -> Page:
        if self.away:
            raise StoreError("ThrottlingException", "")
        self.reads += 1
        return Page((), None, Counts(visitors=self.reads))


def test_reads_do_not_grow_with_visitors_and_a_page_is_never_older_than_promised() -> None:
    now, board = [0.0], Numbered()
    cached = CachedBoard(board, 2.0, clock=lambda: now[0])  # type: ignore[arg-type]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cached.newest(25), range(100)))
    assert board.reads == 1
    now[0] = 1.99
    cached.newest(25)
    assert board.reads == 1
    now[0] = 2.0
    cached.newest(25)
    assert board.reads == 2


def test_an_author_reads_the_table() -> None:
    board = Numbered()
    cached = CachedBoard(board, 60.0)  # type: ignore[arg-type]
    cached.newest(25)
    cached.newest(25, consistent=True)
    assert board.reads == 2


def test_a_failed_refresh_is_not_kept() -> None:
    board = Numbered()
    cached = CachedBoard(board, 60.0)  # type: ignore[arg-type]
    board.away = True
    with pytest.raises(StoreError):
        cached.newest(25)
    board.away = False
    cached.newest(25)
    assert board.reads == 1
