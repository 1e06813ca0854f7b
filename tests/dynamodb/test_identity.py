"""Who may do what: roles' policies from a file, in AWS's words; and faults, which only an owner may set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from groundschool.dynamodb.identity import Decision, Policies, PolicyFile

ROLE = "arn:aws:sts::123456789012:assumed-role/R/i-0abc"
TABLE = "arn:aws:dynamodb:eu-north-1:123456789012:table/items"


def allow(action: Any, resource: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def write(path: Path, *statements: dict[str, Any]) -> None:
    """Replaces the file whole, as the lab does."""
    content = {
        "account_id": "123456789012",
        "root_keys": ["AKIAROOT"],
        "keys": {"ASIAROLE": {"principal_arn": ROLE, "statements": list(statements)}},
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.replace(path)


@pytest.mark.parametrize(
    ("statements", "action", "resource", "decision"),
    [
        ([allow("dynamodb:PutItem", TABLE)], "dynamodb:PutItem", TABLE, Decision.ALLOWED),
        ([allow(["dynamodb:put*"], [TABLE])], "dynamodb:PutItem", TABLE, Decision.ALLOWED),
        ([allow("*", "*")], "dynamodb:PutItem", TABLE, Decision.ALLOWED),
        ([allow("dynamodb:*", TABLE)], "dynamodb:Query", f"{TABLE}/index/by-g", Decision.NOT_ALLOWED),
        ([allow("dynamodb:Query", f"{TABLE}/index/*")], "dynamodb:Query", f"{TABLE}/index/by-g", Decision.ALLOWED),
        ([allow("dynamodb:GetItem", TABLE)], "dynamodb:PutItem", TABLE, Decision.NOT_ALLOWED),
        ([allow("*", "*"), allow("*", TABLE, "Deny")], "dynamodb:PutItem", TABLE, Decision.EXPLICITLY_DENIED),
        ([allow("*", "*", Condition={"StringEquals": {}})], "dynamodb:PutItem", TABLE, Decision.NOT_ALLOWED),
        ([allow("*", TABLE, "Deny", Condition={})], "dynamodb:PutItem", TABLE, Decision.EXPLICITLY_DENIED),
        (
            [{"Effect": "Allow", "NotAction": "dynamodb:DeleteTable", "Resource": "*"}],
            "dynamodb:DeleteTable",
            TABLE,
            Decision.NOT_ALLOWED,
        ),
        ([], "dynamodb:PutItem", TABLE, Decision.NOT_ALLOWED),
    ],
)
def test_a_policy_decides(statements: Any, action: str, resource: str, decision: Decision) -> None:
    policies = Policies(keys={"K": {"principal_arn": ROLE, "statements": statements}})
    assert policies.decide("K", action, resource).decision is decision


def test_a_role_is_denied_in_aws_words(local_with: Any, refused: Any, tmp_path: Path) -> None:
    write(tmp_path / "policy.json", allow(["dynamodb:GetItem"], TABLE))
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "AKIAROOT"
    local.table(sort=None)
    local.key = "ASIAROLE"
    local("GetItem", TableName="items", Key={"pk": {"S": "a"}})
    with refused(
        "AccessDeniedException",
        f"User: {ROLE} is not authorized to perform: dynamodb:PutItem on resource: {TABLE} "
        "because no identity-based policy allows the dynamodb:PutItem action",
    ):
        local("PutItem", TableName="items", Item={"pk": {"S": "a"}})
    with refused("AccessDeniedException"):
        local("TransactWriteItems", TransactItems=[{"Put": {"TableName": "items", "Item": {"pk": {"S": "a"}}}}])
    local.key = "AKIAOTHER"
    with refused("UnrecognizedClientException", "The security token included in the request is invalid."):
        local("GetItem", TableName="items", Key={"pk": {"S": "a"}})


def test_a_denied_caller_does_not_learn_whether_a_table_exists(local_with: Any, refused: Any, tmp_path: Path) -> None:
    write(tmp_path / "policy.json")
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "ASIAROLE"
    with refused("AccessDeniedException"):
        local("GetItem", TableName="nowhere", Key={"pk": {"S": "a"}})


def test_a_changed_file_takes_effect_within_50_ms(tmp_path: Path) -> None:
    path, now = tmp_path / "policy.json", [0.0]
    write(path)
    authorise = PolicyFile(path, clock=lambda: now[0])
    question = ("ASIAROLE", "dynamodb:PutItem", TABLE)
    assert authorise(*question).decision is Decision.NOT_ALLOWED
    write(path, allow("*", "*"))
    assert authorise(*question).decision is Decision.NOT_ALLOWED
    now[0] = 0.05
    assert authorise(*question).decision is Decision.ALLOWED


def test_a_broken_or_missing_file_keeps_the_last_policies(tmp_path: Path) -> None:
    path, now = tmp_path / "policy.json", [0.0]
    authorise = PolicyFile(path, clock=lambda: now[0])
    assert authorise("ASIAROLE", "dynamodb:PutItem", TABLE).decision is Decision.UNKNOWN_KEY
    write(path, allow("*", "*"))
    now[0] = 1.0
    assert authorise("ASIAROLE", "dynamodb:PutItem", TABLE).decision is Decision.ALLOWED
    path.write_text("{half")
    now[0] = 2.0
    assert authorise("ASIAROLE", "dynamodb:PutItem", TABLE).decision is Decision.ALLOWED
    path.unlink()
    now[0] = 3.0
    assert authorise("ASIAROLE", "dynamodb:PutItem", TABLE).decision is Decision.ALLOWED


def test_faults_strike_the_requests_they_are_for(local: Any, refused: Any) -> None:
    local.table(sort=None)
    local("GroundSchool.SetFault", Faults=[{"operation": "PutItem", "table": "items", "throttle_fraction": 1.0}])
    with refused("ThrottlingException"):
        local("PutItem", TableName="items", Item={"pk": {"S": "a"}})
    local("GetItem", TableName="items", Key={"pk": {"S": "a"}})
    local("GroundSchool.SetFault", Faults=[{"fail_fraction": 1}])
    with refused("InternalServerError") as refusal:
        local("GetItem", TableName="items", Key={"pk": {"S": "a"}})
    assert refusal.value.status == 500
    assert local("GroundSchool.SetFault", Faults=[]) == {"Faults": []}
    local("PutItem", TableName="items", Item={"pk": {"S": "a"}})


def test_a_store_that_stands_alone_has_no_meter(local: Any, refused: Any) -> None:
    with refused("UnknownOperationException"):
        local("GroundSchool.ConsumedCapacity")


def test_the_meter_counts_what_tables_and_global_indexes_consumed(local_with: Any, tmp_path: Path) -> None:
    write(tmp_path / "policy.json", allow("*", "*"))
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "AKIAROOT"
    local.table(
        attributes=[{"AttributeName": "by", "AttributeType": "S"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "author",
                "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    table_key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    local("PutItem", TableName="items", Item={**table_key, "text": {"S": "x" * 1500}})  # 2 WRU, not in the index
    local("PutItem", TableName="items", Item={"pk": {"S": "a"}, "sk": {"S": "2"}, "by": {"S": "me"}})  # 1 WRU and 1
    local("GetItem", TableName="items", Key=table_key)  # eventually consistent: half a unit
    counted = {
        (one["IndexName"], one["Kind"]): (one["Units"], one["Requests"])
        for one in local("GroundSchool.ConsumedCapacity")["Consumed"]
    }
    assert counted == {(None, "Write"): (3, 2), ("author", "Write"): (1, 1), (None, "Read"): (0.5, 1)}


def test_in_the_lab_only_the_owner_reads_the_meter(local_with: Any, refused: Any, tmp_path: Path) -> None:
    write(tmp_path / "policy.json", allow("*", "*"))
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "ASIAROLE"
    with refused("AccessDeniedException"):
        local("GroundSchool.ConsumedCapacity")
    local.key = "AKIAROOT"
    assert local("GroundSchool.ConsumedCapacity") == {"Consumed": []}


@pytest.mark.parametrize("faults", [None, [{"typo": 1}], [{"latency_seconds": -1}], [{"fail_fraction": 2}], ["x"]])
def test_faults_that_are_none_are_refused(local: Any, refused: Any, faults: Any) -> None:
    with refused("ValidationException"):
        local("GroundSchool.SetFault", Faults=faults)


def test_in_the_lab_only_the_owner_sets_faults(local_with: Any, refused: Any, tmp_path: Path) -> None:
    write(tmp_path / "policy.json", allow("*", "*"))
    local = local_with(policy_file=tmp_path / "policy.json")
    local.key = "ASIAROLE"
    with refused("AccessDeniedException"):
        local("GroundSchool.SetFault", Faults=[])
    local.key = "AKIAROOT"
    local("GroundSchool.SetFault", Faults=[])
