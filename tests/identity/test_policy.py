"""IAM policy evaluation: who may, who may not, and what the lab cannot decide."""

from __future__ import annotations

from typing import Any

import pytest

from groundschool.cloud.identity.policy import ANY_RESOURCE, Verdict, evaluate

TABLE = "arn:aws:dynamodb:eu-north-1:123456789012:table/workshop_messages"
INDEX = f"{TABLE}/index/by_day"
QUERY = "dynamodb:Query"


def allow(action: object = QUERY, resource: object = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = QUERY, resource: object = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def without(statement: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in names} | more


YES, NO, DENIED = Verdict.ALLOWED, Verdict.NO_ALLOW, Verdict.EXPLICIT_DENY
CONDITION = {"StringEquals": {"aws:RequestedRegion": "eu-north-1"}}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        pytest.param([], NO, id="nothing is allowed by nothing"),
        pytest.param([allow()], YES, id="the action on the resource"),
        pytest.param([allow("dynamodb:PutItem")], NO, id="another action"),
        pytest.param([allow(resource=INDEX)], NO, id="another resource"),
        pytest.param([allow(["dynamodb:PutItem", QUERY])], YES, id="one of several actions"),
        pytest.param([allow(resource=[INDEX, TABLE])], YES, id="one of several resources"),
        pytest.param([allow("dynamodb:PutItem"), allow()], YES, id="any statement may allow"),
        pytest.param([deny()], DENIED, id="a deny alone"),
        pytest.param([allow(), deny()], DENIED, id="a deny after an allow"),
        pytest.param([deny(), allow()], DENIED, id="a deny before an allow"),
        pytest.param([allow(), deny("dynamodb:PutItem")], YES, id="a deny of another action"),
        pytest.param([allow(), deny(resource=INDEX)], YES, id="a deny of another resource"),
        pytest.param([allow("DYNAMODB:query")], YES, id="actions in any case"),
        pytest.param([allow(resource=TABLE.upper())], NO, id="resources in their own case"),
        pytest.param([allow("*")], YES, id="every action"),
        pytest.param([allow("dynamodb:*")], YES, id="every action of the service"),
        pytest.param([allow("s3:*")], NO, id="every action of another service"),
        pytest.param([allow("dynamodb:Qu?ry")], YES, id="one character"),
        pytest.param([allow("dynamodb:Quer?y")], NO, id="one character is not none"),
        pytest.param([allow("dynamodb:Quer")], NO, id="a beginning is not the whole"),
        pytest.param([allow("dynamodb:*ery")], YES, id="a wildcard before the end"),
        pytest.param([allow(resource="*")], YES, id="every resource"),
        pytest.param([allow(resource=f"{TABLE}*")], YES, id="a wildcard for nothing"),
        pytest.param([allow(resource=f"{TABLE}/*")], NO, id="only what is below"),
        pytest.param([allow(resource=TABLE.replace("workshop_messages", "*"))], YES, id="a wildcard in an ARN"),
        pytest.param([allow(resource=TABLE.replace("_", "."))], NO, id="a dot is a dot"),
        pytest.param([allow(resource=TABLE.replace("_", "[_]"))], NO, id="brackets are no wildcard"),
        pytest.param([without(allow(), "Action", NotAction="dynamodb:PutItem")], YES, id="all actions but another"),
        pytest.param([without(allow(), "Action", NotAction=[QUERY])], NO, id="all actions but this"),
        pytest.param([without(allow(), "Action", NotAction="DynamoDB:q*")], NO, id="all actions but some"),
        pytest.param([allow(), without(deny(), "Action", NotAction="s3:*")], DENIED, id="a deny of all but another"),
        pytest.param([allow(), without(deny(), "Action", NotAction="dynamodb:*")], YES, id="a deny of all but this"),
        pytest.param([without(allow(), "Resource", NotResource=INDEX)], YES, id="all resources but another"),
        pytest.param([without(allow(), "Resource", NotResource=TABLE)], NO, id="all resources but this"),
        pytest.param(
            [allow(), without(deny(), "Resource", NotResource=INDEX)], DENIED, id="a deny of all but an index"
        ),
        pytest.param([allow(), without(deny(), "Resource", NotResource=TABLE)], YES, id="a deny of all but the table"),
        pytest.param([allow(Condition=CONDITION)], NO, id="a condition is not evaluated, so it never allows"),
        pytest.param([allow(), deny(Condition=CONDITION)], DENIED, id="a condition is not evaluated, so it denies"),
        pytest.param([allow(Condition={})], YES, id="an empty condition is none"),
        pytest.param([allow(Condition=CONDITION), allow()], YES, id="another statement without a condition"),
        pytest.param([without(allow(), "Resource")], NO, id="no resource at all"),
        pytest.param([without(allow(), "Action")], NO, id="no action at all"),
        pytest.param([allow(resource="arn:aws:dynamodb:*:*:table/${aws:username}")], NO, id="variables are not filled"),
    ],
)
def test_a_query_of_the_table_is(statements: list[dict[str, Any]], verdict: Verdict) -> None:
    assert evaluate(statements, QUERY, TABLE) is verdict


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        pytest.param([allow()], YES, id="a statement for any resource allows"),
        pytest.param([allow(), deny(resource=INDEX)], DENIED, id="a statement for any resource denies"),
        pytest.param([without(allow(), "Resource", NotResource=INDEX)], YES, id="all but one"),
        pytest.param([without(allow(), "Resource", NotResource="*")], NO, id="all but all"),
        pytest.param([allow("dynamodb:Scan")], NO, id="another action"),
    ],
)
def test_where_the_lab_cannot_tell_the_resource(statements: list[dict[str, Any]], verdict: Verdict) -> None:
    assert evaluate(statements, QUERY, ANY_RESOURCE) is verdict
