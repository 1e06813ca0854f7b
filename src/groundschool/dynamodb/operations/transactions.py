"""TransactWriteItems and TransactGetItems: all or nothing, against one state of the store.

Requests are served one at a time, so a transaction never meets another one half-way: TransactionConflict and
TransactionInProgressException do not occur here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from groundschool.dynamodb.api_error import ApiError, validation
from groundschool.dynamodb.capacity import Consumption, read_units, wants_capacity
from groundschool.dynamodb.operations import item_write
from groundschool.dynamodb.operations.item_write import ItemWrite, PreparedWrite
from groundschool.dynamodb.operations.request import Params, Request, Result
from groundschool.dynamodb.operations.single_item import projection_of
from groundschool.dynamodb.tables.item_key import key_of_request

MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
"""AWS: service quotas, "Transactions": 100 items and 4 MB in total."""

_MEMBERS: dict[str, Callable[[Request, Params], ItemWrite]] = {
    "ConditionCheck": item_write.condition_check,
    "Put": item_write.put,
    "Delete": item_write.delete,
    "Update": item_write.update,
}
_REASON_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
    "ThrottlingException": "ThrottlingError",
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
}


def transact_write_items(request: Request, params: Params) -> Result:
    """Raises TransactionCanceledException with one reason per member when any of them cannot be done."""
    token = params.get("ClientRequestToken")
    fingerprint = b"" if token is None else _fingerprint(params)
    writes = [_member(request, entry) for entry in params["TransactItems"]]
    if len({(id(write.table), write.key) for write in writes}) < len(writes):
        raise validation("Transaction request cannot include multiple operations on one item")
    if token is not None and _was_done(request, token, fingerprint):
        return _replayed(writes, params)
    request.store.database.begin()
    prepared = _prepare_all(request, writes)
    if sum(one.size for one in prepared) > MAX_TRANSACTION_BYTES:
        raise validation("Member must have total size less than or equal to 4 MB: TransactItems")
    consumed = _apply_all(request, prepared)
    if token is not None:
        request.store.remember_token(request.account_id, request.region, token, fingerprint, request.now)
    return _write_answer(params, prepared, consumed)


def _fingerprint(params: Params) -> bytes:
    members = orjson.dumps(params["TransactItems"], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(members, digest_size=16).digest()


def _was_done(request: Request, token: str, fingerprint: bytes) -> bool:
    used_for = request.store.used_token(request.account_id, request.region, token, request.now)
    if used_for is not None and used_for != fingerprint:
        raise ApiError(
            "IdempotentParameterMismatchException",
            "An error occurred (IdempotentParameterMismatchException): The request uses the same client token as a "
            "previous, but non-identical request.",
        )
    return used_for is not None


def _member(request: Request, entry: dict[str, Any]) -> ItemWrite:
    if len(entry) != 1:
        raise validation("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, params),) = entry.items()
    return _MEMBERS[kind](request, params)


def _prepare_all(request: Request, writes: Sequence[ItemWrite]) -> list[PreparedWrite]:
    prepared: list[PreparedWrite] = []
    reasons: list[dict[str, Any]] = []
    for write in writes:
        try:
            request.admit(write.table, write.key[0], "Write")
            prepared.append(item_write.prepare(write))
            reasons.append({"Code": "None"})
        except ApiError as error:
            reasons.append({"Code": _REASON_CODES[error.code], "Message": error.message, **error.members})
    if len(prepared) < len(writes):
        raise cancelled(reasons)
    return prepared


def cancelled(reasons: list[dict[str, Any]]) -> ApiError:
    """TransactionCanceledException; its message lists the codes, its members tell the rest."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return ApiError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )


def _apply_all(request: Request, prepared: Sequence[PreparedWrite]) -> dict[str, Consumption]:
    consumed: dict[str, Consumption] = {}
    for one in prepared:
        units = item_write.consumption(one, item_write.apply(one), transactional=True)
        request.charge(one.write.table, one.write.key[0], units)
        consumed.setdefault(units.table, Consumption(units.table, "Write")).add(units)
    return consumed


def _write_answer(params: Params, prepared: Sequence[PreparedWrite], consumed: dict[str, Consumption]) -> Result:
    answer: dict[str, Any] = {}
    if wanted := wants_capacity(params):
        answer["ConsumedCapacity"] = [one.report(wanted, transactional=True) for one in consumed.values()]
    if params.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics: dict[str, list[dict[str, Any]]] = {}
        for one in prepared:
            definition = one.write.table.definition
            if definition.has_local_indexes and not one.write.check_only:
                metrics.setdefault(definition.name, []).append(item_write.collection_metrics(one))
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return answer


def _replayed(writes: Sequence[ItemWrite], params: Params) -> Result:
    """AWS: a repeated token succeeds, changes nothing, and reports the read units of looking at the items."""
    wanted = wants_capacity(params)
    if wanted is None:
        return {}
    consumed: dict[str, Consumption] = {}
    for write in writes:
        row = write.table.get(write.key)
        name = write.table.definition.name
        units = read_units(0 if row is None else row[1], transactional=True)
        consumed.setdefault(name, Consumption(name, "Read")).on_table += units
    return {"ConsumedCapacity": [one.report(wanted, transactional=True) for one in consumed.values()]}


def transact_get_items(request: Request, params: Params) -> Result:
    """The items of one moment, in the order asked for; a missing one is an empty structure."""
    consumed: dict[str, Consumption] = {}
    responses: list[bytes] = []
    size = 0
    seen: set[Any] = set()
    for entry in params["TransactItems"]:
        get = entry["Get"]
        projection = projection_of(get)
        table = request.table(get["TableName"])
        key = key_of_request(table.definition.key, get["Key"])
        if (id(table), key) in seen:
            raise validation("Transaction request cannot include multiple operations on one item")
        seen.add((id(table), key))
        request.admit(table, key[0], "Read")
        row = table.get(key)
        one = Consumption(table.definition.name, "Read", read_units(0 if row is None else row[1], transactional=True))
        request.charge(table, key[0], one)
        consumed.setdefault(one.table, Consumption(one.table, "Read")).add(one)
        if row is None:
            responses.append(b"{}")
            continue
        size += row[1]
        json = row[0] if projection is None else orjson.dumps(projection.apply(orjson.loads(row[0])))
        responses.append(b'{"Item":' + json + b"}")
    if size > MAX_TRANSACTION_BYTES:
        raise validation("Member must have total size less than or equal to 4 MB: TransactItems")
    answer = b'{"Responses":[' + b",".join(responses) + b"]"
    if wanted := wants_capacity(params):
        reports = [one.report(wanted, transactional=True) for one in consumed.values()]
        answer += b',"ConsumedCapacity":' + orjson.dumps(reports)
    return answer + b"}"
