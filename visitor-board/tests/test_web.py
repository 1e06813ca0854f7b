from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from visitor_board.message import InvalidText, checked, new_id
from visitor_board.store_client import StoreClient, StoreError

TOKEN = "token-0123456789"
EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture
def browser(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app().test_client()


def texts(browser: FlaskClient) -> list[str]:
    return [message["text"] for message in browser.get("/api/messages").get_json()["messages"]]


def test_the_page_says_who_serves_it(browser: FlaskClient) -> None:
    answer = browser.get("/")
    assert "Served by i-1 in eu-north-1a" in answer.text
    assert answer.headers["X-Served-By"] == "i-1"


def test_a_message_written_in_the_form_is_on_the_page_after_the_redirect(browser: FlaskClient) -> None:
    answer = browser.post("/", data={"text": "hello", "client_token": TOKEN}, follow_redirects=True)
    assert answer.status_code == 200
    assert '<p class="text">hello</p>' in answer.text
    assert "Your message is on the board." in answer.text


def test_sending_the_form_twice_stores_one_message(browser: FlaskClient) -> None:
    for _ in range(2):
        assert browser.post("/", data={"text": "hello", "client_token": TOKEN}).status_code == 303
    assert texts(browser) == ["hello"]


def test_every_rendered_form_has_a_token_of_its_own(browser: FlaskClient) -> None:
    tokens = {re.search(r'client_token" value="([^"]+)"', browser.get("/").text)[1] for _ in range(3)}  # type: ignore[index]
    assert len(tokens) == 3


def test_markup_in_a_message_is_shown_as_text(browser: FlaskClient) -> None:
    browser.post("/", data={"text": EVIL})
    page = browser.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;" in page


def test_nothing_on_the_page_is_inline(browser: FlaskClient) -> None:
    answer = browser.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", answer.text)


@pytest.mark.parametrize("path", ["/", "/?before=x", "/nothing", "/health", "/api/messages", "/static/board.css"])
def test_every_answer_carries_the_security_headers(browser: FlaskClient, path: str) -> None:
    with browser.get(path) as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" in headers
    assert headers["X-Served-By"] == "i-1"


def test_a_browser_is_counted_once_a_day(browser: FlaskClient) -> None:
    for _ in range(3):
        answer = browser.get("/")
    assert '<strong id="visitors">1</strong>' in answer.text
    browser.delete_cookie("visited")
    assert '<strong id="visitors">2</strong>' in browser.get("/").text


def test_the_visited_cookie_is_secure_behind_https(browser: FlaskClient) -> None:
    cookie = browser.get("/", headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax"))


def test_older_pages_follow_the_cursor_without_javascript(browser: FlaskClient) -> None:
    for n in range(30):
        browser.post("/api/messages", json={"text": f"message {n}"})
    link = re.search(r'id="more" rel="next" href="([^"]+)"', browser.get("/").text)
    assert link
    older = browser.get(link[1]).text
    assert re.findall(r'class="text">message (\d+)<', older) == ["4", "3", "2", "1", "0"]
    assert 'id="more"' not in older


def test_the_api_gives_the_same_data_as_the_page(browser: FlaskClient) -> None:
    posted = browser.post("/api/messages", json={"text": "hello"})
    assert posted.status_code == 201
    body = browser.get("/api/messages").get_json()
    assert body["messages"] == [posted.get_json()["message"]]
    assert body["counts"] == {"visitors": 0, "messages_by_instance": {"i-1": 1}}
    assert body["served_by"] == {"instance": "i-1", "zone": "eu-north-1a"}


def test_polling_costs_no_body_while_nothing_changed(make_app: Callable[..., Flask]) -> None:
    one, other = make_app("i-1").test_client(), make_app("i-2").test_client()
    etag = one.get("/api/messages").headers["ETag"]
    unchanged = other.get("/api/messages", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data, unchanged.headers["X-Served-By"]) == (304, b"", "i-2")
    one.post("/api/messages", json={"text": "hello"})
    assert other.get("/api/messages", headers={"If-None-Match": etag}).status_code == 200


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("path", "content_type", "body", "status"),
    [
        pytest.param("/", FORM, b"text=", 400, id="form: empty"),
        pytest.param("/", FORM, b"text=%20%0A", 400, id="form: whitespace"),
        pytest.param("/", FORM, b"", 400, id="form: no field"),
        pytest.param("/", FORM, b"text=%ff%fe", 400, id="form: percent-encoded bytes that are not UTF-8"),
        pytest.param("/", FORM, b"text=\xff", 400, id="form: raw bytes that are not ASCII"),
        pytest.param("/", FORM, b"text=a%00b", 400, id="form: NUL"),
        pytest.param("/", FORM, b"a=&" * 50, 400, id="form: too many fields"),
        pytest.param("/", FORM, b"text=hi&client_token=short", 400, id="form: bad token"),
        pytest.param("/", FORM, b"text=" + b"x" * 20_000, 413, id="form: huge"),
        pytest.param("/", "multipart/form-data; boundary=x", b"--x--", 415, id="form: multipart"),
        pytest.param("/", JSON, b'{"text": "hi"}', 415, id="form: JSON"),
        pytest.param("/", "", b"text=hi", 415, id="form: no content type"),
        pytest.param("/api/messages", JSON, b"", 400, id="API: no body"),
        pytest.param("/api/messages", JSON, b"{", 400, id="API: broken JSON"),
        pytest.param("/api/messages", JSON, b'"text"', 400, id="API: not an object"),
        pytest.param("/api/messages", JSON, b'{"text": 1}', 400, id="API: not a string"),
        pytest.param("/api/messages", JSON, b'{"text": "hi", "author": "me"}', 400, id="API: unknown field"),
        pytest.param("/api/messages", JSON, b'{"text": "\xff"}', 400, id="API: not UTF-8"),
        pytest.param("/api/messages", JSON, b'{"text": "\\ud800"}', 400, id="API: half a character"),
        pytest.param("/api/messages", JSON, b"[" * 10_000, 400, id="API: deeply nested"),
        pytest.param("/api/messages", JSON, b'{"text": "' + b"x" * 501 + b'"}', 400, id="API: too long"),
        pytest.param("/api/messages", JSON, b'{"text": "' + b"x" * 20_000 + b'"}', 413, id="API: huge"),
        pytest.param("/api/messages", JSON, b'{"text": "hi", "client_token": ""}', 400, id="API: empty token"),
        pytest.param(
            "/api/messages", JSON, b'{"text": "hi", "client_token": "a b c d e f g h i j"}', 400, id="API: token"
        ),
        pytest.param("/api/messages", "text/plain", b'{"text": "hi"}', 415, id="API: text"),
        pytest.param("/api/messages", FORM, b"text=hi", 415, id="API: form"),
    ],
)
def test_a_bad_post_is_refused_and_stores_nothing(
    browser: FlaskClient, path: str, content_type: str, body: bytes, status: int
) -> None:
    answer = browser.post(path, data=body, content_type=content_type or None)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    if path.startswith("/api"):
        assert set(answer.get_json()["error"]) == {"code", "message"}
    assert texts(browser) == []


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=",
        f"before={new_id(1.0)}0",
        "before=%00",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=%D9%A1",
    ],
)
@pytest.mark.parametrize("path", ["/api/messages"])
def test_a_bad_query_is_refused(browser: FlaskClient, path: str, query: str) -> None:
    answer = browser.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] in ("unknown_cursor", "invalid_limit")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/", 405), ("PATCH", "/api/messages", 405)]
)
def test_an_unknown_place_gets_a_clear_answer(browser: FlaskClient, method: str, path: str, status: int) -> None:
    assert browser.open(path, method=method).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 303, id="no browser"),
        pytest.param({"Origin": "http://localhost"}, 303, id="the board itself"),
        pytest.param(
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 303, id="the board itself, by HTTPS"
        ),
        pytest.param({"Origin": "http://evil.example"}, 403, id="another site"),
        pytest.param({"Origin": "http://localhost:1"}, 403, id="another port"),
        pytest.param({"Origin": "null"}, 403, id="a sandboxed page"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site, by HTTPS"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a neighbour's subdomain"),
    ],
)
def test_a_post_sent_by_another_site_is_refused(browser: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert browser.post("/", data={"text": "hello"}, headers=headers).status_code == status
    assert texts(browser) == (["hello"] if status == 303 else [])


def test_a_token_with_another_text_is_a_conflict(browser: FlaskClient) -> None:
    browser.post("/api/messages", json={"text": "hello", "client_token": TOKEN})
    answer = browser.post("/api/messages", json={"text": "goodbye", "client_token": TOKEN})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "client_token_reused")


def test_one_client_cannot_flood_an_instance(make_app: Callable[..., Flask]) -> None:
    browser = make_app(posts_per_minute=2).test_client()

    def post(client: str) -> Any:
        return browser.post("/api/messages", json={"text": "hi"}, headers={"X-Forwarded-For": f"1.2.3.4, {client}"})

    assert [post("10.0.0.1").status_code for _ in range(3)] == [201, 201, 429]
    assert 1 <= int(post("10.0.0.1").headers["Retry-After"]) <= 60
    assert post("10.0.0.2").status_code == 201


@pytest.fixture
def broken(make_app: Callable[..., Flask], client: StoreClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A board whose table throttles everything."""

    def call(operation: str, request: object, **_: object) -> None:
        raise StoreError("ThrottlingException", "arn:aws:secret is throttled")

    app = make_app()
    monkeypatch.setattr(client, "call", call)
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/api/messages"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_table_that_does_not_answer_gives_a_friendly_503(broken: FlaskClient, method: str, path: str) -> None:
    body: dict[str, Any] = {"json": {"text": "hi"}} if path != "/" else {"data": {"text": "hi"}}
    answer = broken.open(path, method=method, **(body if method == "POST" else {}))
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["Retry-After"]) <= 4
    assert "ThrottlingException" in answer.text
    assert "arn:aws" not in answer.text
    assert "Traceback" not in answer.text


def test_health_does_not_depend_on_the_table(broken: FlaskClient) -> None:
    assert broken.get("/health").status_code == 200


def test_ready_tells_the_state_and_never_refuses(broken: FlaskClient) -> None:
    answer = broken.get("/ready")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "degraded")
    assert answer.get_json()["store"] == "ThrottlingException"


def test_a_defect_is_a_plain_500(
    make_app: Callable[..., Flask], client: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    monkeypatch.setattr(client, "call", lambda *_, **__: 1 / 0)
    answer = app.test_client().get("/")
    assert answer.status_code == 500
    assert "division" not in answer.text


def test_metrics_count_requests_and_store_calls(make_app: Callable[..., Flask]) -> None:
    browser = make_app().test_client()
    browser.get("/health")
    browser.open("/nothing", method="INVENTED")
    text = browser.get("/metrics").text
    assert 'board_request_seconds_count{method="GET",route="/health",status="200"} 1' in text
    assert 'method="other",route="unknown"' in text
    assert "INVENTED" not in text


def test_static_files_are_kept_for_a_year_under_a_name_that_changes(browser: FlaskClient) -> None:
    path = re.search(r'href="(/static/board.css\?[0-9a-f]+)"', browser.get("/").text)
    assert path
    with browser.get(path[1]) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with browser.get("/static/board.css?of-another-version") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=600))
def test_any_text_is_either_stored_and_shown_exactly_or_refused(browser: FlaskClient, text: str) -> None:
    try:
        stored: str | None = checked(text)
    except InvalidText:
        stored = None
    try:
        answer = browser.post("/api/messages", json={"text": text})
    except UnicodeEncodeError:
        return
    assert answer.status_code == (400 if stored is None else 201)
    if stored is not None:
        assert answer.get_json()["message"]["text"] == stored
        assert texts(browser)[0] == stored


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from([JSON, FORM]),
    path=st.sampled_from(["/", "/api/messages"]),
)
def test_no_bytes_make_the_board_fail(browser: FlaskClient, body: bytes, content_type: str, path: str) -> None:
    assert browser.post(path, data=body, content_type=content_type).status_code in (201, 303, 400, 415)
