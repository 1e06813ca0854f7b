"""Who may come in: Signature Version 4 as boto3 makes it, and everything that is not quite it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from unittest import mock

import botocore.auth
import botocore.compat
import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.front_door.conftest import ROOT_KEY, Door

CALLS = {
    "ec2": "describe_vpcs",
    "s3": "list_buckets",
    "iam": "list_users",
    "elbv2": "describe_load_balancers",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}


def code(client: Any, service: str) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        getattr(client, CALLS[service])()
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", CALLS)
def test_the_root_key_is_let_in(door: Door, service: str) -> None:
    getattr(door.client(service), CALLS[service])()


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("ec2", ("AuthFailure", 401)),
        ("s3", ("SignatureDoesNotMatch", 403)),
        ("iam", ("SignatureDoesNotMatch", 403)),
        ("elbv2", ("SignatureDoesNotMatch", 403)),
        ("sts", ("SignatureDoesNotMatch", 403)),
        ("ssm", ("InvalidSignatureException", 400)),
    ],
)
def test_a_wrong_secret_is_refused_in_the_services_own_words(
    door: Door, service: str, expected: tuple[str, int]
) -> None:
    assert code(door.client(service, secret="wrong"), service) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("ec2", ("AuthFailure", 401)),
        ("s3", ("InvalidAccessKeyId", 403)),
        ("iam", ("InvalidClientTokenId", 403)),
        ("ssm", ("UnrecognizedClientException", 400)),
    ],
)
def test_an_unknown_key_is_refused(door: Door, service: str, expected: tuple[str, int]) -> None:
    assert code(door.client(service, key="AKIANOBODYNOBODYNOBO"), service) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("ec2", ("AuthFailure", 401)),
        ("s3", ("AuthorizationHeaderMalformed", 400)),
        ("iam", ("SignatureDoesNotMatch", 403)),
        ("ssm", ("InvalidSignatureException", 400)),
    ],
)
def test_an_unknown_region_is_an_aws_error(door: Door, service: str, expected: tuple[str, int]) -> None:
    assert code(door.client(service, region_name="mars-1"), service) == expected


@pytest.mark.parametrize(
    ("service", "minutes", "expected"),
    [
        ("ec2", 6, ("RequestExpired", 400)),
        ("ec2", -6, ("RequestExpired", 400)),
        ("iam", 6, ("SignatureDoesNotMatch", 403)),
        ("ssm", 6, ("InvalidSignatureException", 400)),
        ("s3", 16, ("RequestTimeTooSkewed", 403)),
    ],
)
def test_a_clock_that_is_too_far_off_is_refused(
    door: Door, service: str, minutes: int, expected: tuple[str, int]
) -> None:
    with clock_off_by(minutes):
        assert code(door.client(service), service) == expected


@pytest.mark.parametrize(("service", "minutes"), [("ec2", 4), ("ec2", -4), ("s3", 14)])
def test_a_clock_that_is_a_little_off_is_accepted(door: Door, service: str, minutes: int) -> None:
    with clock_off_by(minutes):
        getattr(door.client(service), CALLS[service])()


def clock_off_by(minutes: int) -> Any:
    then = botocore.compat.get_current_datetime() + timedelta(minutes=minutes)
    return mock.patch.object(botocore.auth, "get_current_datetime", return_value=then)


def test_a_role_session_needs_its_token(door: Door) -> None:
    session = door.sessions.of_instance("i-1", "no-such-role", time.time())
    key, secret = session.access_key_id, session.secret_access_key
    who = door.client("sts", key, secret, aws_session_token=session.token).get_caller_identity()
    assert who["Arn"].endswith("assumed-role/no-such-role/i-1")
    assert code(door.client("sts", key, secret), "sts") == ("InvalidClientTokenId", 403)
    assert code(door.client("sts", key, secret, aws_session_token="other"), "sts") == ("InvalidClientTokenId", 403)


def test_an_expired_role_session_is_refused(door: Door) -> None:
    session = door.sessions.of_instance("i-2", "role", time.time() - 7 * 3600)
    client = door.client("sts", session.access_key_id, session.secret_access_key, aws_session_token=session.token)
    assert code(client, "sts") == ("ExpiredToken", 403)


def test_a_users_key_works_as_far_as_policies_of_user_and_group_go_and_until_it_is_inactive(door: Door) -> None:
    iam = door.client("iam")
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="readers")
    allow = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}]}'
    )
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    ec2 = door.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])
    assert code(ec2, "ec2") == ("UnauthorizedOperation", 403)
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=allow)
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    ec2.describe_vpcs()
    iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code(ec2, "ec2") == ("AuthFailure", 401)


def test_an_assumed_role_is_let_in_with_the_policies_of_the_role(door: Door) -> None:
    role = door.client("iam").create_role(RoleName="guest", AssumeRolePolicyDocument='{"Statement": []}')["Role"]
    given = door.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"])
    who = door.client("sts", *keys, aws_session_token=given["SessionToken"]).get_caller_identity()
    assert who["Arn"].endswith("assumed-role/guest/me")
    assert code(door.client("ec2", *keys, aws_session_token=given["SessionToken"]), "ec2")[0] == "UnauthorizedOperation"


def test_a_changed_body_is_refused(door: Door) -> None:
    ec2 = door.client("ec2")

    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace("DescribeVpcs", "DescribeTags")

    ec2.meta.events.register("before-send", change)
    with pytest.raises(ClientError) as refused:
        ec2.describe_vpcs()
    assert refused.value.response["Error"]["Code"] == "AuthFailure"


@pytest.mark.parametrize("key", ["plain", "a b/ü+~x//y", "dots/../up", "percent%20sign"])
def test_objects_of_any_name_come_back(door: Door, key: str) -> None:
    s3 = bucket_of(door)
    s3.put_object(Bucket="names", Key=key, Body=b"hello", ContentType="text/plain")
    assert s3.get_object(Bucket="names", Key=key)["Body"].read() == b"hello"
    assert s3.head_object(Bucket="names", Key=key)["ContentLength"] == 5


def test_presigned_urls_work_until_they_are_changed_or_old(door: Door) -> None:
    s3 = bucket_of(door)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "names", "Key": "signed"})
    assert urllib3.request("PUT", put, body=b"data").status == 200
    got = s3.generate_presigned_url("get_object", Params={"Bucket": "names", "Key": "signed"})
    assert urllib3.request("GET", got).data == b"data"
    forged = urllib3.request("GET", got.replace("/signed?", "/plain?"))
    assert (forged.status, b"SignatureDoesNotMatch" in forged.data) == (403, True)
    with clock_off_by(-2):
        old = s3.generate_presigned_url("get_object", Params={"Bucket": "names", "Key": "signed"}, ExpiresIn=60)
    expired = urllib3.request("GET", old)
    assert (expired.status, b"AccessDenied" in expired.data) == (403, True)


def test_a_body_that_is_not_what_was_hashed_is_refused(door: Door) -> None:
    s3 = bucket_of(door)
    s3.meta.events.register("before-send", lambda request, **_: setattr(request, "body", b"other"))
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="names", Key="changed", Body=b"hello")
    assert refused.value.response["Error"]["Code"] == "XAmzContentSHA256Mismatch"


def bucket_of(door: Door) -> Any:
    s3 = door.client("s3")
    if "names" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="names", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    return s3


@pytest.mark.parametrize(
    ("headers", "code_and_status"),
    [
        pytest.param({}, ("MissingAuthenticationToken", 403), id="none"),
        pytest.param({"Authorization": "Basic eDp5"}, ("InvalidRequest", 400), id="basic"),
        pytest.param({"Authorization": "AWS4-HMAC-SHA256 Credential=a/b"}, ("IncompleteSignature", 400), id="half"),
        pytest.param(
            {
                "Authorization": f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20260101/eu-north-1/ec2/aws4_request, "
                "SignedHeaders=host, Signature=0"
            },
            ("IncompleteSignature", 400),
            id="without a date",
        ),
    ],
)
def test_what_is_not_signed_is_refused(door: Door, headers: dict[str, str], code_and_status: tuple[str, int]) -> None:
    answer = urllib3.request("GET", f"{door.url}/?Action=DescribeVpcs", headers=headers)
    assert (f"<Code>{code_and_status[0]}</Code>" in answer.data.decode(), answer.status) == (True, code_and_status[1])
