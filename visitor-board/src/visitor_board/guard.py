"""What is refused before it does harm: forged posts, too many posts, bodies that are not what they say.

Nothing here needs a secret or state shared by the fleet.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

import orjson

MAX_BODY = 16 * 1024
"""Bytes of a request body. The longest message, percent-encoded three times over, fits."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refused(Exception):
    """The request is not served: an HTTP status, a stable code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def refuse_forgery(headers: Mapping[str, str]) -> None:
    """Refuses a post that another site made a browser send (CSRF).

    Browsers say where a request comes from and a page cannot change it: Sec-Fetch-Site where the board is served over
    HTTPS, Origin everywhere. A client that sends neither is no browser and carries nobody's cookies.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        forged = site not in ("same-origin", "none")
    else:
        forged = origin is not None and urlsplit(origin).netloc.lower() != headers.get("Host", "").lower()
    if forged:
        raise Refused(403, "forged", "This post came from another site. Write it on the board itself.")


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of an HTML form, strictly UTF-8. Raises Refused."""
    _require(content_type, "application/x-www-form-urlencoded")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10))
    except UnicodeDecodeError:
        raise Refused(400, "invalid_utf8", "The form is not valid UTF-8.") from None
    except ValueError:
        raise Refused(400, "too_many_fields", "The form has too many fields.") from None


def json_fields(content_type: str, body: bytes, allowed: frozenset[str]) -> dict[str, str]:
    """The fields of a JSON object whose values are strings. Raises Refused."""
    _require(content_type, "application/json")
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "invalid_json", "The body is not valid JSON in UTF-8.") from None
    if not isinstance(fields, dict) or not fields.keys() <= allowed:
        raise Refused(400, "invalid_fields", f"The body must be an object with only: {', '.join(sorted(allowed))}.")
    if not all(isinstance(value, str) for value in fields.values()):
        raise Refused(400, "invalid_fields", "Every field must be a string.")
    return fields


def _require(content_type: str, wanted: str) -> None:
    if content_type.partition(";")[0].strip().lower() != wanted:
        raise Refused(415, "unsupported_media_type", f"The Content-Type must be {wanted}.")


def client_address(headers: Mapping[str, str], peer: str) -> str:
    """Who is asking: the address the load balancer saw (it appends to X-Forwarded-For), else the peer's."""
    return headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer


class RateLimit:
    """A token bucket per client address, in this process's memory.

    What it costs: nothing in the table, at most ``clients`` entries here (the least recent is forgotten first). What it
    does not do: a fleet of N instances lets N times as much through, and a restart forgets. It is a brake on one noisy
    client, not a quota.
    """

    def __init__(self, per_minute: int, clients: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clients, self._clock = per_minute, clients, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Counts one post; raises Refused (429) with the seconds to wait."""
        if not self._per_minute:
            return
        rate = self._per_minute / 60
        with self._lock:
            now = self._clock()
            tokens, seen = self._buckets.pop(client, (float(self._per_minute), now))
            tokens = min(float(self._per_minute), tokens + (now - seen) * rate)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - allowed, now)
            if len(self._buckets) > self._clients:
                self._buckets.popitem(last=False)
        if not allowed:
            wait = int((1 - tokens) / rate) + 1
            raise Refused(429, "too_many_posts", f"Too many posts. Try again in {wait} s.", retry_after=wait)
