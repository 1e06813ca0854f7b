"""How the board answers: JSON, and every failure as a page or a JSON error. A visitor never sees a traceback."""

from __future__ import annotations

import logging
import random
from typing import Any

import orjson
from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException

from visitor_board.board import Page
from visitor_board.guard import Refused
from visitor_board.message import Message
from visitor_board.store_client import StoreError

_log = logging.getLogger("visitor_board")


def json_answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(body), status, headers, content_type="application/json")


def page_as_json(page: Page) -> dict[str, Any]:
    """The page as the API gives it, without the server's name: the ETag must be the same on every instance."""
    counts = page.counts and {"visitors": page.counts.visitors, "messages_by_instance": page.counts.posts}
    return {"messages": [message_as_json(message) for message in page.messages], "next": page.next, "counts": counts}


def message_as_json(message: Message) -> dict[str, str]:
    """The message as the API gives it."""
    return {"id": message.id, "text": message.text, "instance": message.instance, "posted_at": f"{iso(message)}Z"}


def iso(message: Message) -> str:
    """When it was posted, UTC, to the millisecond, without the zone."""
    return message.posted_at.isoformat(timespec="milliseconds").removesuffix("+00:00")


def as_refused(error: Exception) -> Refused:
    """What to say about a failure; what is our defect is logged with its traceback."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, StoreError):
        _log.warning("%s %s: %s", request.method, request.path, error)
        reason = "Unable to locate credentials" if error.code == "NoCredentialsError" else error.code
        message = f"The board cannot reach its table right now ({reason}). Please try again in a few seconds."
        # Jitter: clients that were refused together must not come back together.
        return Refused(503, "store_unavailable", message, retry_after=random.randint(1, 4))  # noqa: S311
    if isinstance(error, HTTPException) and error.code:
        return Refused(error.code, error.name.lower().replace(" ", "_"), f"{error.name}.")
    _log.error("%s %s", request.method, request.path, exc_info=error)
    return Refused(500, "defect", "The board made a mistake. It has been logged.")


def refusal(refused: Refused) -> Response:
    """The answer to a refused request: JSON for programs, a page for people."""
    if request.path.startswith("/api/"):
        response = json_answer({"error": {"code": refused.code, "message": refused.message}}, refused.status)
    else:
        html = render_template("refused.html", refused=refused, posting=request.method == "POST")
        response = Response(html, refused.status)
    response.headers["Cache-Control"] = "no-store"
    if refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response
