"""Time to live, tags, limits and endpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from groundschool.dynamodb.api_error import ApiError, table_not_found, validation
from groundschool.dynamodb.operations.request import Params, Request, Result, table_name
from groundschool.dynamodb.storage.stored_table import StoredTable

MAX_TAGS = 50
_TABLE_ARN = re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/([a-zA-Z0-9_.-]{3,255})")
_TAG_PAGE = 10


def describe_time_to_live(request: Request, params: Params) -> Result:
    definition = _table(request, params["TableName"]).definition
    if definition.ttl_attribute is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": definition.ttl_attribute},
    }


def update_time_to_live(request: Request, params: Params) -> Result:
    """Takes effect at once; AWS takes up to an hour."""
    table = _table(request, params["TableName"])
    specification = params["TimeToLiveSpecification"]
    enabled, attribute = specification["Enabled"], specification["AttributeName"]
    current = table.definition.ttl_attribute
    if enabled and current is not None:
        raise validation("TimeToLive is already enabled")
    if not enabled and current is None:
        raise validation("TimeToLive is already disabled")
    if not enabled and current != attribute:
        raise validation(f"TimeToLive is active on a different AttributeName: current AttributeName is {current}")
    request.store.save(replace(table.definition, ttl_attribute=attribute if enabled else None))
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}


def tag_resource(request: Request, params: Params) -> Result:
    table = _by_arn(request, params["ResourceArn"])
    tags = dict(table.definition.tags)
    if not params["Tags"]:
        raise validation("Atleast one Tag needs to be provided as Input.")
    tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
    if len(tags) > MAX_TAGS:
        raise validation(f"Too many tags: the limit is {MAX_TAGS} tags per resource")
    request.store.save(replace(table.definition, tags=tags))
    return b""


def untag_resource(request: Request, params: Params) -> Result:
    table = _by_arn(request, params["ResourceArn"])
    if not params["TagKeys"]:
        raise validation("Atleast one Tag Key needs to be provided as Input.")
    tags = {name: value for name, value in table.definition.tags.items() if name not in params["TagKeys"]}
    request.store.save(replace(table.definition, tags=tags))
    return b""


def list_tags_of_resource(request: Request, params: Params) -> Result:
    tags = sorted(_by_arn(request, params["ResourceArn"]).definition.tags.items())
    start = params.get("NextToken") or "0"
    if not start.isdecimal() or int(start) > len(tags):
        raise validation("Invalid NextToken")
    page = tags[int(start) : int(start) + _TAG_PAGE]
    answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": value} for key, value in page]}
    if int(start) + _TAG_PAGE < len(tags):
        answer["NextToken"] = str(int(start) + _TAG_PAGE)
    return answer


def describe_limits(_request: Request, _params: Params) -> Result:
    """AWS: the defaults of most regions."""
    return {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }


def describe_endpoints(request: Request, _params: Params) -> Result:
    """The address the client used already."""
    return {"Endpoints": [{"Address": request.host, "CachePeriodInMinutes": 1440}]}


def _table(request: Request, name_or_arn: str) -> StoredTable:
    name = table_name(name_or_arn)
    table = request.store.find(request.account_id, request.region, name)
    if table is None:
        raise table_not_found(name)
    return table


def _by_arn(request: Request, arn: str) -> StoredTable:
    match = _TABLE_ARN.fullmatch(arn)
    if match is None:
        raise validation(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    table = request.store.find(request.account_id, request.region, match[1])
    if table is None or table.definition.arn != arn:
        raise ApiError("ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found")
    return table
