"""Whether what the board acknowledged is still there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from groundschool.endpoint import fetch
from groundschool.errors import LoadError

PAGE = 100
"""The most messages the board gives at once."""

Read = Callable[[str], bytes]
"""The body of a page by its path and query."""


def lost_posts(read: Read, acknowledged: Iterable[str]) -> set[str]:
    """The acknowledged ids the board does not list any more; empty when nothing is lost.

    Reads the list from the newest message down, until every id was seen or the list ends.
    """
    missing = set(acknowledged)
    before: str | None = None
    while missing:
        query = {"limit": PAGE} if before is None else {"limit": PAGE, "before": before}
        page = json.loads(read(f"/api/messages?{urlencode(query)}"))
        missing -= {message["id"] for message in page["messages"]}
        before = page["next"]
        if before is None:
            break
    return missing


def reader(url: str) -> Read:
    """Reads from the board at ``url``. Raises LoadError when it does not answer with 200."""
    root = url.rstrip("/")

    def read(path: str) -> bytes:
        try:
            answer = fetch(root + path, timeout=30)
        except OSError as error:
            raise LoadError(f"{root}{path} could not be read back: {error}") from error
        if answer.status != 200:
            raise LoadError(f"{root}{path} could not be read back: HTTP {answer.status}")
        return answer.body

    return read
