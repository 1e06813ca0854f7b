"""The front door: authenticates a request, finds who answers it, and never answers anything but AWS."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import Any

import urllib3
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Handler, Params
from groundschool.cloud.front_door import wire
from groundschool.cloud.front_door.routes import READING, Routes, elsewhere, unsupported
from groundschool.cloud.front_door.s3_action import s3_action
from groundschool.cloud.front_door.signature import Signature, known_regions, signature_of, unknown_region, verify
from groundschool.cloud.identity.authoriser import Authoriser
from groundschool.cloud.identity.policy import ANY_RESOURCE
from groundschool.cloud.passive.application import Passive
from groundschool.endpoint import names_this_machine
from groundschool.errors import GroundError

log = logging.getLogger(__name__)

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes. AWS's query and JSON services answer 413 above about 1 MB; DynamoDB's largest request is a 16 MB batch."""
OBJECT_LIMIT = 256 * 1024 * 1024
"""Bytes of one S3 request."""
DYNAMODB_LIMIT = 16 * 1024 * 1024

OF_ANY_REGION = frozenset({"sts", "resourcegroupstaggingapi"})
"""Living services that answer for every region: moto's records, and so their tags, are in all of them."""

Administration = Callable[[str, str, Any], dict[str, Any]]
"""``(method, path, JSON document) -> JSON document``; raises AwsError or GroundError."""


@dataclass(frozen=True)
class FrontDoorFacts:
    """What the front door must know of its lab."""

    region: str
    account_id: str
    url: str
    dynamodb_url: str
    admin_secret: str


class FrontDoor:
    """A WSGI application.

    ``lock`` is the lab's one lock, held while a living handler runs. ``changed`` is called after each operation that
    may have changed something, so that the control loop looks at once. ``administration`` answers the lab's owner.
    """

    def __init__(
        self,
        facts: FrontDoorFacts,
        routes: Routes,
        passive: Passive,
        authoriser: Authoriser,
        lock: RLock,
        changed: Callable[[], None],
        administration: Administration,
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._passive = passive
        self._authoriser = authoriser
        self._lock = lock
        self._changed = changed
        self._administration = administration
        self._services = frozenset({"dynamodb", *routes.passive, *(service for service, _ in routes.living)})
        self._store = urllib3.PoolManager(maxsize=16, retries=False)

    def operations(self, service: str) -> frozenset[str]:
        """The recorded operations of a service: those moto answers."""
        return self._routes.passive[service]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            if not names_this_machine(request.host):
                raise AwsError("InvalidHost", f"The lab answers on loopback names only, not {request.host}", 403)
            if request.path.startswith("/_ground/"):
                return self._own(request)
            signature = signature_of(request)
            self._limit_body(request, wire.service_of(signature.signing_name))
        except AwsError as error:
            return wire.encode_unrouted(error)
        return self._aws(request, signature)

    def _limit_body(self, request: Request, service: str) -> None:
        limit = {"s3": OBJECT_LIMIT, "dynamodb": DYNAMODB_LIMIT}.get(service, BODY_LIMIT)
        request.max_content_length = limit
        try:
            request.get_data()
        except RequestEntityTooLarge:
            raise AwsError("RequestEntityTooLarge", f"The request body exceeds {limit} bytes", 413) from None

    def _aws(self, request: Request, signature: Signature) -> Response:
        service = wire.service_of(signature.signing_name)
        if service not in self._services:
            action = wire.printable(request.headers.get("X-Amz-Target") or "any action")
            error = unsupported(self._call(signature, service, action), self._list_url)
            return wire.encode_unrouted(error)
        operation, resource = "", ANY_RESOURCE
        try:
            if service == "s3":
                operation, resource = s3_action(request)
            else:
                operation = wire.operation_of(request, service) or ""
        except AwsError as error:
            return wire.encode_unrouted(error)
        call = self._call(signature, service, operation)
        try:
            return self._route(request, call, resource, signature)
        except AwsError as error:
            return wire.encode(request, call, error)
        except Exception as error:
            log.exception("the lab failed to answer %s:%s", call.service, call.operation)
            failure = AwsError(
                "InternalFailure", f"The lab failed to answer ({type(error).__name__}): see its log", 500
            )
            return wire.encode(request, call, failure)

    def _route(self, request: Request, call: Call, resource: str, signature: Signature) -> Response:
        self._authorise(request, call, resource, signature)
        if call.service == "dynamodb":
            return self._to_store(request)
        handler = self._routes.living.get((call.service, call.operation))
        if handler is not None:
            return self._living(request, call, handler)
        if call.service != "s3" and not self._routes.supports(call.service, call.operation):
            wire.decode(request, call)  # an operation AWS does not have at all is InvalidAction
            raise unsupported(call, self._list_url)
        if call.service != "s3":
            params = wire.decode(request, call)
            _refuse_dry_run(call, params)
            guard = self._routes.guards.get((call.service, call.operation))
            if guard is not None:
                with self._lock:
                    guard(call, params)
        answer = self._passive.answer(call.service, request)
        self._wake(call)
        return answer

    def _authorise(self, request: Request, call: Call, resource: str, signature: Signature) -> None:
        """AWS's order: is there such a place, who is it, do they hold the secret, may they?"""
        if call.region != self._facts.region and call.region not in known_regions():
            raise unknown_region(call.service, call.region, self._facts.region)
        now = datetime.now(UTC)
        with self._lock:
            principal = self._authoriser.authenticate(call, now.timestamp())
        verify(signature, request, call.service, principal.secret, now)
        if call.service != "dynamodb":  # the store checks permissions itself: it knows the resources
            self._authoriser.check(principal, call, resource)

    def _living(self, request: Request, call: Call, handler: Handler) -> Response:
        params = wire.decode(request, call)
        if call.region != self._facts.region and call.service not in OF_ANY_REGION:
            return wire.encode(request, call, elsewhere(call, self._facts.region))
        _refuse_dry_run(call, params)
        with self._lock:
            result = handler(call, params)
        self._wake(call)
        return wire.encode(request, call, result)

    def _wake(self, call: Call) -> None:
        if not call.operation.startswith(READING):
            self._changed()

    def _call(self, signature: Signature, service: str, operation: str) -> Call:
        return Call(service, operation, signature.region, self._facts.account_id, signature.access_key_id)

    @property
    def _list_url(self) -> str:
        return f"{self._facts.url}/_ground/operations"

    def _to_store(self, request: Request) -> Response:
        """DynamoDB has a server of its own; a client that only knows this endpoint reaches it through here."""
        headers = {name: value for name, value in request.headers if name.lower() not in ("connection", "host")}
        try:
            answer = self._store.request(
                "POST", self._facts.dynamodb_url, body=request.get_data(), headers=headers, timeout=30
            )
        except urllib3.exceptions.HTTPError as error:
            return wire.encode_unrouted(AwsError("ServiceUnavailable", f"The store does not answer: {error}", 503))
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in ("connection", "date")}
        return Response(answer.data, status=answer.status, headers=kept)

    def _own(self, request: Request) -> Response:
        if request.path == "/_ground/operations":
            return _json(self._routes.supported())
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._facts.admin_secret.encode()):
            raise AwsError("AccessDenied", "This address is for the owner of the lab", 403)
        document = request.get_json(silent=True) if request.method == "POST" else None
        try:
            with self._lock:
                return _json(self._administration(request.method, request.path.removeprefix("/_ground"), document))
        except (AwsError, GroundError) as error:
            return _json({"message": getattr(error, "message", str(error))}, getattr(error, "status", 409))


def _refuse_dry_run(call: Call, params: Params) -> None:
    """AWS: who gets here may do it, and that is all a dry run tells. moto forgets to ask in some operations."""
    if call.service == "ec2" and params.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document, indent=1), status=status, content_type="application/json")
