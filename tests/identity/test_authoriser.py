"""From an access key to a principal, and from a principal and an action to yes or AWS's own refusal."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call
from groundschool.cloud.identity.authoriser import Authoriser, PolicyFile
from groundschool.cloud.identity.principal import Principal, Secret
from groundschool.cloud.identity.role_session import SESSION_SECONDS, RoleSessions
from groundschool.cloud.passive.identity_records import AccessKeyOwner, Role

ACCOUNT, REGION = "123456789012", "eu-north-1"
ROOT_KEY = "AKIAROOTROOTROOTROOT"
NOW = 1_700_000_000.0
ROLE = "app"
READ = [{"Effect": "Allow", "Action": ["ec2:Describe*", "s3:GetObject"], "Resource": "*"}]
NEVER = [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::secrets/*"}]


def call(operation: str, service: str = "ec2", key: str | None = ROOT_KEY) -> Call:
    return Call(service, operation, REGION, ACCOUNT, key)


class Records:
    """In place of what moto remembers."""

    def __init__(self) -> None:
        self.roles = {ROLE: Role(ROLE, f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "AROAAPP", tuple(READ + NEVER))}
        self.keys: list[AccessKeyOwner] = []

    def role(self, name: str) -> Role | None:
        return self.roles.get(name)

    def owners(self) -> list[AccessKeyOwner]:
        return self.keys

    def owner(self, access_key_id: str) -> AccessKeyOwner | None:
        return next((each for each in self.keys if each.access_key_id == access_key_id), None)


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def sessions() -> RoleSessions:
    return RoleSessions()


@pytest.fixture
def authoriser(records: Any, sessions: RoleSessions) -> Authoriser:
    return Authoriser((ROOT_KEY, Secret("root")), ACCOUNT, records, sessions)


@pytest.fixture
def role(authoriser: Authoriser, sessions: RoleSessions) -> Principal:
    key = sessions.of_instance("i-1", ROLE, NOW).access_key_id
    return authoriser.authenticate(call("DescribeVpcs", key=key), NOW)


def test_an_instance_is_its_role_in_a_session_named_after_it(role: Principal) -> None:
    assert role.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/i-1"
    assert role.user_id.startswith("AROA")
    assert role.user_id.endswith(":i-1")
    assert role.expires_at == NOW + SESSION_SECONDS


def test_secrets_are_not_shown(role: Principal, sessions: RoleSessions) -> None:
    minted = sessions.of_instance("i-1", ROLE, NOW)
    assert minted.secret_access_key not in repr(role)
    assert minted.token not in repr(role)


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("ec2", "AuthFailure", 401),
        ("s3", "InvalidAccessKeyId", 403),
        ("dynamodb", "UnrecognizedClientException", 400),
        ("ssm", "UnrecognizedClientException", 400),
        ("resourcegroupstaggingapi", "UnrecognizedClientException", 400),
        ("iam", "InvalidClientTokenId", 403),
        ("autoscaling", "InvalidClientTokenId", 403),
    ],
)
@pytest.mark.parametrize("key", [None, "AKIANOBODYNOBODYNOBO"], ids=["no key", "unknown key"])
def test_an_unknown_key_is_refused_in_the_services_words(
    authoriser: Authoriser, service: str, code: str, status: int, key: str | None
) -> None:
    with pytest.raises(AwsError) as refused:
        authoriser.authenticate(call("Anything", service, key), NOW)
    assert (refused.value.code, refused.value.status) == (code, status)


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("ec2", "RequestExpired", 403),
        ("s3", "ExpiredToken", 400),
        ("dynamodb", "ExpiredTokenException", 403),
        ("sts", "ExpiredToken", 403),
    ],
)
def test_expired_credentials_are_refused_in_the_services_words(
    authoriser: Authoriser, sessions: RoleSessions, service: str, code: str, status: int
) -> None:
    session = sessions.of_instance("i-1", ROLE, NOW)
    asked = call("Anything", service, session.access_key_id)
    authoriser.authenticate(asked, session.expires_at - 1)
    with pytest.raises(AwsError) as refused:
        authoriser.authenticate(asked, session.expires_at)
    assert (refused.value.code, refused.value.status) == (code, status)


def test_a_users_key_is_the_user_with_the_users_permissions(authoriser: Authoriser, records: Records) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    records.keys.append(AccessKeyOwner("AKIAADA", arn, "AIDAADA", tuple(READ), "secret"))
    ada = authoriser.authenticate(call("DescribeVpcs", key="AKIAADA"), NOW)
    assert (ada.arn, ada.user_id, ada.secret.secret_access_key) == (arn, "AIDAADA", "secret")
    authoriser.check(ada, call("DescribeVpcs"), "*")


@pytest.mark.parametrize(
    ("service", "operation", "resource"),
    [
        pytest.param("ec2", "DescribeVpcs", "*", id="a wildcard of its policy"),
        pytest.param("s3", "GetObject", "arn:aws:s3:::releases/app.zip", id="an object"),
        pytest.param("sts", "GetCallerIdentity", "*", id="who am I needs no permission"),
    ],
)
def test_a_role_may_do_what_its_policy_allows(
    authoriser: Authoriser, role: Principal, service: str, operation: str, resource: str
) -> None:
    authoriser.check(role, call(operation, service), resource)


@pytest.mark.parametrize(
    ("service", "operation", "resource", "code", "said"),
    [
        pytest.param(
            *("ec2", "TerminateInstances", "*", "UnauthorizedOperation"),
            "ec2:TerminateInstances because no identity-based policy allows the ec2:TerminateInstances action",
            id="ec2",
        ),
        pytest.param(
            *("elbv2", "CreateListener", "*", "AccessDenied"),
            "elasticloadbalancing:CreateListener because no identity-based policy allows",
            id="the prefix of IAM, not of boto3",
        ),
        pytest.param(
            *("ssm", "SendCommand", "*", "AccessDeniedException"), "ssm:SendCommand because no identity", id="ssm"
        ),
        pytest.param(
            *("resourcegroupstaggingapi", "GetResources", "*", "AccessDeniedException"),
            "tag:GetResources because no identity",
            id="the tagging API has a prefix of its own",
        ),
        pytest.param(
            *("s3", "PutObject", "arn:aws:s3:::releases/x", "AccessDenied"),
            "s3:PutObject on resource: arn:aws:s3:::releases/x because no identity-based policy allows",
            id="with the resource",
        ),
        pytest.param(
            *("s3", "GetObject", "arn:aws:s3:::secrets/x", "AccessDenied"),
            "s3:GetObject on resource: arn:aws:s3:::secrets/x with an explicit deny in an identity-based policy",
            id="an explicit deny says so",
        ),
    ],
)
def test_a_missing_permission_is_refused_in_awss_sentence(
    authoriser: Authoriser, role: Principal, service: str, operation: str, resource: str, code: str, said: str
) -> None:
    with pytest.raises(AwsError) as refused:
        authoriser.check(role, call(operation, service), resource)
    assert (refused.value.code, refused.value.status) == (code, 403)
    assert f"User: {role.arn} is not authorized to perform: {said}" in refused.value.message


def test_the_labs_own_key_may_do_everything(authoriser: Authoriser) -> None:
    root = authoriser.authenticate(call("TerminateInstances"), NOW)
    authoriser.check(root, call("TerminateInstances"), "*")


def test_a_role_taken_away_counts_for_the_next_request(
    authoriser: Authoriser, records: Records, sessions: RoleSessions
) -> None:
    key = sessions.of_instance("i-1", ROLE, NOW).access_key_id
    authoriser.check(authoriser.authenticate(call("DescribeVpcs", key=key), NOW), call("DescribeVpcs"), "*")
    records.roles.clear()
    without = authoriser.authenticate(call("DescribeVpcs", key=key), NOW)
    with pytest.raises(AwsError):
        authoriser.check(without, call("DescribeVpcs"), "*")


def test_the_store_is_told_who_may_do_what_and_no_secret(
    authoriser: Authoriser, sessions: RoleSessions, tmp_path: Path
) -> None:
    session = sessions.of_instance("i-1", ROLE, NOW)
    file = PolicyFile(tmp_path / "below" / "policy.json")
    file.write(authoriser.policy_document())
    text = file.path.read_text()
    told = json.loads(text)
    assert told["root_keys"] == [ROOT_KEY]
    assert told["keys"][session.access_key_id]["statements"] == READ + NEVER
    assert session.secret_access_key not in text
    assert session.token not in text
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_an_unchanged_policy_is_not_written_again(authoriser: Authoriser, tmp_path: Path) -> None:
    file = PolicyFile(tmp_path / "policy.json")
    file.write(authoriser.policy_document())
    file.path.unlink()
    file.write(authoriser.policy_document())
    assert not file.path.exists()
