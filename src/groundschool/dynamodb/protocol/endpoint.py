"""One request in, one answer out: parsed, checked, authorised, done. AWS's order of complaints."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from groundschool.dynamodb.api_error import ApiError, serialization
from groundschool.dynamodb.faults import TARGET as FAULT_TARGET
from groundschool.dynamodb.faults import Faults
from groundschool.dynamodb.identity import Decision, PolicyFile, refusal
from groundschool.dynamodb.meter import TARGET as METER_TARGET
from groundschool.dynamodb.meter import CapacityMeter
from groundschool.dynamodb.operations.catalogue import SUPPORTED, Use
from groundschool.dynamodb.operations.request import Request, Result
from groundschool.dynamodb.protocol.call import Call, RepeatedCalls
from groundschool.dynamodb.protocol.credentials import Credentials, credentials_of
from groundschool.dynamodb.protocol.service_model import ServiceModel
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.tables.definition import table_arn
from groundschool.dynamodb.throttling import Throttle

TARGET_PREFIX = "DynamoDB_20120810."

logger = logging.getLogger(__name__)


class HttpRequest(NamedTuple):
    """The parts of a request that matter. ``peer_is_loopback`` tells whether it came from this machine."""

    method: bytes
    url: bytes
    target: str
    content_type: bytes
    authorization: bytes | None
    host: str
    body: bytes
    peer_is_loopback: bool


class Answer(NamedTuple):
    """Status, JSON body, and how many seconds to hold it back."""

    status: int
    body: bytes
    delay: float = 0.0


class Endpoint:
    """Answers requests. Never raises: what nobody foresaw is logged here and InternalServerError to the client."""

    def __init__(
        self,
        store: Store,
        *,
        account_id: str,
        wall: Callable[[], float],
        policies: PolicyFile | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self._store = store
        self._account_id = account_id
        self._wall = wall
        self._policies = policies
        self._throttle = throttle
        self._model = ServiceModel()
        self._repeated = RepeatedCalls()
        self.faults = Faults()
        # A store that stands alone has nobody who asks, and reads need not know their size.
        self._meter = CapacityMeter() if policies is not None else None

    def answer(self, http: HttpRequest) -> Answer:
        try:
            return self._answer(http)
        except ApiError as error:
            return Answer(error.status, orjson.dumps(error.body()))
        except sqlite3.Error as error:
            return Answer(500, self.storage_failed(error))
        except Exception:
            logger.exception("unforeseen, while answering %s", http.target)
            self._store.database.rollback()
            internal = ApiError("InternalServerError", "Internal server error", 500)
            return Answer(500, orjson.dumps(internal.body()))

    def storage_failed(self, error: sqlite3.Error) -> bytes:
        """Undoes the open write group; the body for everyone in it. Nothing of it was acknowledged."""
        logger.error("the store cannot write %s: %s", self._store.database.path or "its memory", error)
        self._store.database.rollback()
        message = f"The store cannot write: {error}. Nothing of this request was stored."
        return orjson.dumps(ApiError("InternalServerError", message, 500).body())

    def _answer(self, http: HttpRequest) -> Answer:
        call = self._repeated.find(http.target, http.body)
        if call is not None:
            return self._carry_out(call, credentials_of(http.authorization, http.url), http.host)
        body = self._json(http)
        operation = self._operation(http.target)
        credentials = credentials_of(http.authorization, http.url)
        if body is None:
            raise serialization()
        if operation == FAULT_TARGET:
            return self._set_faults(credentials, http, body)
        if operation == METER_TARGET:
            return self._read_meter(credentials, http)
        call = self._call(operation, body)
        answer = self._carry_out(call, credentials, http.host)
        if call.repeats:
            self._repeated.keep(http.target, http.body, call)
        return answer

    def _carry_out(self, call: Call, credentials: Credentials, host: str) -> Answer:
        account_id = self._account()
        if self._policies is not None:
            self._authorise(call.uses, credentials, account_id)
        delay = self.faults.strike(call.operation, call.table) if self.faults else 0.0
        request = Request(self._store, account_id, credentials.region, self._wall(), host, self._throttle, self._meter)
        return Answer(200, _encode(call.prepared()(request)), delay)

    def _json(self, http: HttpRequest) -> Any:
        try:
            return orjson.loads(http.body) if http.body else None
        except orjson.JSONDecodeError:
            raise serialization() from None

    def _call(self, operation: str, body: Any) -> Call:
        supported = SUPPORTED.get(operation)
        if supported is None:
            raise ApiError("UnknownOperationException", f"{operation} is not supported by Ground School's DynamoDB.")
        return Call(operation, supported, self._model.check_input(operation, body))

    def _operation(self, target: str) -> str:
        if target in (FAULT_TARGET, METER_TARGET):
            return target
        operation = target.removeprefix(TARGET_PREFIX)
        if operation == target or operation not in self._model.operations:
            raise ApiError("UnknownOperationException", None)
        return operation

    def _account(self) -> str:
        if self._policies is None:
            return self._account_id
        return self._policies.policies().account_id or self._account_id

    def _authorise(self, uses: tuple[Use, ...], credentials: Credentials, account_id: str) -> None:
        assert self._policies is not None
        for name, resource in uses:
            arn = resource if resource.startswith("arn:") else table_arn(credentials.region, account_id, resource)
            action = f"dynamodb:{name}"
            verdict = self._policies(credentials.access_key_id, action, arn)
            if verdict.decision is not Decision.ALLOWED:
                raise refusal(verdict, action, arn)

    def _must_be_owner(self, credentials: Credentials, http: HttpRequest, what: str) -> None:
        if self._policies is None:
            allowed = http.peer_is_loopback
        else:
            allowed = credentials.access_key_id in self._policies.policies().root_keys
        if not allowed:
            raise ApiError("AccessDeniedException", f"{what} by the lab's owner only.")

    def _read_meter(self, credentials: Credentials, http: HttpRequest) -> Answer:
        self._must_be_owner(credentials, http, "Consumed capacity can be read")
        if self._meter is None:
            raise ApiError("UnknownOperationException", "Only the store of a lab counts what is consumed.")
        return Answer(200, orjson.dumps(self._meter.report()))

    def _set_faults(self, credentials: Credentials, http: HttpRequest, body: Any) -> Answer:
        self._must_be_owner(credentials, http, "Faults can be set")
        if not isinstance(body, dict):
            raise serialization("Unexpected field type")
        return Answer(200, orjson.dumps(self.faults.replace(body)))


def _encode(result: Result) -> bytes:
    return result if isinstance(result, bytes) else orjson.dumps(result)
