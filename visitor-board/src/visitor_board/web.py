"""The web tier: the pages, the JSON API, health and metrics. No state survives a request."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import orjson
from flask import Flask, Response, g, redirect, render_template, request
from markupsafe import Markup

from visitor_board.answers import as_refused, iso, json_answer, message_as_json, page_as_json, refusal
from visitor_board.board import Board, TokenReused
from visitor_board.guard import (
    HEADERS,
    MAX_BODY,
    RateLimit,
    Refused,
    client_address,
    form_fields,
    json_fields,
    refuse_forgery,
)
from visitor_board.instance import Instance
from visitor_board.message import MAX_CHARACTERS, InvalidText, Message, checked, is_id
from visitor_board.store_client import StoreError
from visitor_board.telemetry import Metrics, Readiness

PAGE_SIZE = 25
MAX_PAGE_SIZE = 100
VISITED = "visited"
"""The cookie that says "this browser was counted today". It is the same for everybody and identifies nobody."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_log = logging.getLogger("visitor_board")


def create_app(board: Board, instance: Instance, metrics: Metrics, rate_limit: RateLimit) -> Flask:
    """The WSGI application over a board."""
    app = Flask("visitor_board")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "auto_reload": False}
    assets = _fingerprint()
    app.jinja_env.globals.update(instance=instance, assets=assets, max_characters=MAX_CHARACTERS)
    app.jinja_env.globals.update(entry=_entry_renderer(app), blank=Message("0" * 32, "", ""))
    readiness = Readiness(board.probe)
    served_by = {"instance": instance.id, "zone": instance.zone}

    @app.get("/")
    def page() -> Response:
        before = _cursor()
        posted = "posted" in request.args
        new_visitor = before is None and VISITED not in request.cookies and request.method == "GET"
        if new_visitor:
            _count_visitor(board)
        shown = board.older(PAGE_SIZE, before) if before else board.newest(PAGE_SIZE, consistent=posted)
        html = render_template("board.html", page=shown, older=before, posted=posted, token=secrets.token_urlsafe(16))
        response = Response(html, headers={"Cache-Control": "private, no-cache"})
        if new_visitor:
            secure = request.headers.get("X-Forwarded-Proto") == "https"
            response.set_cookie(VISITED, "1", max_age=86_400, httponly=True, samesite="Lax", secure=secure)
        return response

    @app.post("/")
    def post_form() -> Response:
        fields = form_fields(request.headers.get("Content-Type", ""), request.get_data())
        _post(board, rate_limit, fields)
        return redirect("/?posted", 303)  # type: ignore[return-value]

    @app.get("/api/messages")
    def list_messages() -> Response:
        before, limit = _cursor(), _limit()
        body = page_as_json(board.older(limit, before) if before else board.newest(limit))
        etag = hashlib.blake2b(orjson.dumps(body), digest_size=9).hexdigest()
        headers = {"ETag": f'W/"{etag}"', "Cache-Control": "no-cache"}
        if request.if_none_match.contains_weak(etag):
            return Response(status=304, headers=headers)
        return json_answer({**body, "served_by": served_by}, headers=headers)

    @app.post("/api/messages")
    def post_message() -> Response:
        content_type = request.headers.get("Content-Type", "")
        fields = json_fields(content_type, request.get_data(), frozenset(("text", "client_token")))
        message = _post(board, rate_limit, fields, as_sent=True)
        return json_answer({"message": message_as_json(message), "served_by": served_by}, 201)

    @app.get("/health")
    def health() -> Response:
        return json_answer({"status": "ok", "instance": instance.id})

    @app.get("/ready")
    def ready() -> Response:
        state = readiness.state()
        return json_answer({"status": "ok" if state == "ok" else "degraded", "store": state, "instance": instance.id})

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.render(), content_type="text/plain; version=0.0.4")

    @app.before_request
    def start_timer() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        labels = f'method="{_method()}",route="{route}",status="{response.status_code}"'
        metrics.observe("board_request_seconds", labels, time.perf_counter() - g.started)
        response.headers.extend(HEADERS)
        response.headers["X-Served-By"] = instance.id
        if request.endpoint == "static" and request.query_string.decode("latin-1") == assets:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    @app.errorhandler(Exception)
    def refuse(error: Exception) -> Response:
        return refusal(as_refused(error))

    return app


def _post(board: Board, rate_limit: RateLimit, fields: dict[str, str], *, as_sent: bool = False) -> Message:
    headers = dict(request.headers)
    refuse_forgery(headers)
    rate_limit.take(client_address(headers, request.remote_addr or ""))
    token = fields.get("client_token")
    if token == "" and not as_sent:  # a form sends its empty fields too
        token = None
    if token is not None and not _TOKEN.fullmatch(token):
        raise Refused(400, "invalid_client_token", "A client_token has 16 to 64 letters, digits, - or _.")
    try:
        return board.post(checked(fields.get("text", ""), as_sent=as_sent), token)
    except InvalidText as error:
        raise Refused(400, "invalid_text", str(error)) from None
    except TokenReused:
        raise Refused(409, "client_token_reused", "This client_token was used before, for another text.") from None


def _count_visitor(board: Board) -> None:
    try:
        board.count_visitor()
    except StoreError as error:
        _log.warning("A visitor was not counted: %s", error)


def _cursor() -> str | None:
    before = request.args.get("before")
    if before is not None and not is_id(before):
        raise Refused(400, "unknown_cursor", "This board gave out no such cursor. Start again from the newest page.")
    return before


def _limit() -> int:
    text = request.args.get("limit", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise Refused(400, "invalid_limit", f"limit must be a number from 1 to {MAX_PAGE_SIZE}.")
    return int(text)


def _method() -> str:
    """The method as a metric label: a client must not be able to invent labels."""
    return request.method if request.method in ("GET", "HEAD", "POST", "OPTIONS") else "other"


def _entry_renderer(app: Flask) -> Callable[[Message], Markup]:
    """Renders a message; a message never changes, so its HTML is kept."""
    template = app.jinja_env.get_template("entry.html")

    @lru_cache(maxsize=1000)
    def render(message: Message) -> Markup:
        return Markup(template.render(message=message, at=iso(message)))  # noqa: S704 - the template escapes

    return render


def _fingerprint() -> str:
    """Changes when a static file does, so that browsers may keep them for a year."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()
