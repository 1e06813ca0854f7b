"""The DynamoDB client: botocore's credential chain and signer, kept connections, orjson's parser.

boto3 spends most of a call's CPU on its generic layers: validation by the service model, events, endpoint rules,
building Python objects. This module keeps what matters of it: the credentials (a role's are renewed before they
expire), the endpoint variables, time-outs, retries with full jitter inside a deadline, and AWS's error names. It speaks
DynamoDB JSON 1.0 and returns it as it came.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.regions import EndpointResolver
from botocore.session import Session

from visitor_board.breaker import Breaker
from visitor_board.connections import Connections

Item = dict[str, dict[str, Any]]

DEADLINE = 2.0
"""Seconds a call may take, retries included. A visitor rather reads "busy, try again" than waits."""
_ATTEMPTS = 4
_BACKOFF = 0.05
"""Seconds; the n-th retry waits a random time up to ``_BACKOFF * 2**n`` (full jitter)."""
_TRANSIENT = frozenset(
    (
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    )
)


class StoreError(Exception):
    """The table did not do it. ``code`` is AWS's error name; ``outcome_unknown``: the write may have happened."""

    def __init__(self, code: str, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.outcome_unknown = outcome_unknown


class ConditionFailed(Exception):
    """The condition of a write does not hold; ``item`` is what is stored, when it was asked for."""

    def __init__(self, item: Item) -> None:
        super().__init__("The conditional request failed")
        self.item = item


class StoreClient:
    """Calls DynamoDB. Thread-safe; one per process.

    ``observe(operation, outcome, seconds)`` is told of every attempt; outcome is ``ok`` or AWS's error name.
    """

    def __init__(
        self,
        region: str,
        endpoint: str = "",
        *,
        session: Session | None = None,
        observe: Callable[[str, str, float], None] = lambda *_: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session or Session()
        self._region = region
        self.endpoint = endpoint_url(self._session, region, endpoint, os.environ)
        self._connections = Connections(self.endpoint)
        self._observe, self._sleep = observe, sleep
        self._credentials_lock = threading.Lock()
        self._next_look = 0.0
        self.breaker = Breaker()

    def call(self, operation: str, request: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """Sends one operation and returns its answer.

        Raises ConditionFailed and StoreError. ``repeatable=False`` (an ADD to a counter) is not sent again when it is
        unknown whether the first one was carried out.
        """
        if not self.breaker.admit():
            raise StoreError("StoreAway", "The table did not answer the last calls; not asking for a moment.")
        body, ends = orjson.dumps(request), time.monotonic() + DEADLINE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._attempt(operation, body)
            except StoreError as error:
                wait = random.uniform(0, _BACKOFF * 2**attempt)  # noqa: S311 - jitter, not a secret
                transient = error.code in _TRANSIENT or (error.outcome_unknown and repeatable)
                if transient and attempt < _ATTEMPTS and time.monotonic() + wait < ends:
                    self._sleep(wait)
                    continue
                self.breaker.record(answered=not (error.code in _TRANSIENT or error.outcome_unknown))
                raise
            except ConditionFailed:
                self.breaker.record(answered=True)
                raise
            self.breaker.record(answered=True)
            return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()

    def has_credentials(self) -> bool:
        """Whether the chain finds any now."""
        try:
            self._credentials()
        except StoreError:
            return False
        return True

    def _attempt(self, operation: str, body: bytes) -> dict[str, Any]:
        started, outcome = time.perf_counter(), "ok"
        try:
            return self._send(operation, body)
        except StoreError as error:
            outcome = error.code
            raise
        except ConditionFailed:
            outcome = "ConditionalCheckFailedException"
            raise
        finally:
            self._observe(operation, outcome, time.perf_counter() - started)

    def _send(self, operation: str, body: bytes) -> dict[str, Any]:
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        signed = AWSRequest("POST", f"{self.endpoint}/", headers=headers, data=body)
        SigV4Auth(self._credentials(), "dynamodb", self._region).add_auth(signed)
        try:
            status, data = self._connections.post(body, dict(signed.headers.items()))
            answer = orjson.loads(data)
        except (OSError, orjson.JSONDecodeError) as error:
            raise StoreError(
                type(error).__name__, f"No answer from {self.endpoint}: {error}", outcome_unknown=True
            ) from error
        if not isinstance(answer, dict):
            raise StoreError(
                "NotAnObject", f"No answer from {self.endpoint}: not DynamoDB's JSON", outcome_unknown=True
            )
        if status == 200:
            return answer
        code = str(answer.get("__type", status)).rpartition("#")[2]
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed(answer.get("Item", {}))
        if status >= 500 and code not in _TRANSIENT:
            raise StoreError(code, f"HTTP {status}", outcome_unknown=True)
        raise StoreError(code, str(answer.get("message") or answer.get("Message") or f"HTTP {status}"))

    def _credentials(self) -> ReadOnlyCredentials:
        """Frozen credentials; botocore renews a role's before they expire. Looked for again when there were none."""
        with self._credentials_lock:
            if self._next_look and time.monotonic() < self._next_look:
                raise StoreError("NoCredentialsError", "Unable to locate credentials")
            try:
                credentials = self._session.get_credentials()
                frozen = credentials and credentials.get_frozen_credentials()
            except BotoCoreError as error:
                raise StoreError(type(error).__name__, str(error)) from error
            self._next_look = 0.0 if frozen else time.monotonic() + 5.0
            if not frozen:
                raise StoreError("NoCredentialsError", "Unable to locate credentials")
            return frozen


def endpoint_url(session: Session, region: str, fallback: str, environment: Mapping[str, str]) -> str:
    """DynamoDB's address without a slash at the end: boto3's variables, ``fallback``, the config file, AWS's own."""
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        configured = ""
    else:
        configured = (
            environment.get("AWS_ENDPOINT_URL_DYNAMODB")
            or environment.get("AWS_ENDPOINT_URL")
            or fallback
            or session.get_scoped_config().get("endpoint_url", "")
        )
    if configured:
        return str(configured).rstrip("/")
    known = EndpointResolver(session.get_data("endpoints")).construct_endpoint("dynamodb", region)
    return f"https://{known['hostname']}" if known else f"https://dynamodb.{region}.amazonaws.com"
