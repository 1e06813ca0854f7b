"""Every operation the store supports, with the resources a caller must be allowed to use for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from groundschool.dynamodb.operations import batch, query, scan, single_item, table_management, table_settings
from groundschool.dynamodb.operations import transactions as transact
from groundschool.dynamodb.operations.request import Operation, Params, Prepared

Use = tuple[str, str]
"""An action without its service prefix, and what it is done to: a table name or ARN, ``table/index/name``, or ``*``."""


@dataclass(frozen=True, slots=True)
class Supported:
    """How an operation is answered, and which uses it makes of which resources."""

    prepare: Callable[[Params], Prepared]
    uses: Callable[[str, Params], Iterator[Use]]
    repeats: bool = False
    """Whether what was prepared may answer the same request again: it then keeps nothing but what that request says."""


def _anew(operation: Operation) -> Callable[[Params], Prepared]:
    """An operation that looks at its parameters when it is carried out."""
    return lambda params: lambda request: operation(request, params)


def _table(operation: str, params: Params) -> Iterator[Use]:
    index = params.get("IndexName")
    yield operation, params["TableName"] if index is None else f"{params['TableName']}/index/{index}"


def _arn(operation: str, params: Params) -> Iterator[Use]:
    yield operation, params["ResourceArn"]


def _all_tables(operation: str, _params: Params) -> Iterator[Use]:
    yield operation, "*"


def _batch(operation: str, params: Params) -> Iterator[Use]:
    for name in params["RequestItems"]:
        yield operation, name


_MEMBER_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "Get": "GetItem",
}


def _transaction(_operation: str, params: Params) -> Iterator[Use]:
    for entry in params["TransactItems"]:
        for kind, member in entry.items():
            yield _MEMBER_ACTIONS[kind], member["TableName"]


SUPPORTED: dict[str, Supported] = {
    "BatchGetItem": Supported(_anew(batch.batch_get_item), _batch),
    "BatchWriteItem": Supported(_anew(batch.batch_write_item), _batch),
    "CreateTable": Supported(_anew(table_management.create_table), _table),
    "DeleteItem": Supported(_anew(single_item.delete_item), _table),
    "DeleteTable": Supported(_anew(table_management.delete_table), _table),
    "DescribeEndpoints": Supported(_anew(table_settings.describe_endpoints), _all_tables),
    "DescribeLimits": Supported(_anew(table_settings.describe_limits), _all_tables),
    "DescribeTable": Supported(_anew(table_management.describe_table), _table),
    "DescribeTimeToLive": Supported(_anew(table_settings.describe_time_to_live), _table),
    "GetItem": Supported(_anew(single_item.get_item), _table),
    "ListTables": Supported(_anew(table_management.list_tables), _all_tables),
    "ListTagsOfResource": Supported(_anew(table_settings.list_tags_of_resource), _arn),
    "PutItem": Supported(_anew(single_item.put_item), _table),
    "Query": Supported(query.query, _table, repeats=True),
    "Scan": Supported(scan.scan, _table, repeats=True),
    "TagResource": Supported(_anew(table_settings.tag_resource), _arn),
    "TransactGetItems": Supported(_anew(transact.transact_get_items), _transaction),
    "TransactWriteItems": Supported(_anew(transact.transact_write_items), _transaction),
    "UntagResource": Supported(_anew(table_settings.untag_resource), _arn),
    "UpdateItem": Supported(_anew(single_item.update_item), _table),
    "UpdateTable": Supported(_anew(table_management.update_table), _table),
    "UpdateTimeToLive": Supported(_anew(table_settings.update_time_to_live), _table),
}
