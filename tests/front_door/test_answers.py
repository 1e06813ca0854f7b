"""Whatever is sent, AWS answers: never a traceback, never a hang, never a secret."""

from __future__ import annotations

import re
import socket

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundschool.cloud.front_door import application
from tests.front_door.conftest import REGION, ROOT_KEY, ROOT_SECRET, Door

CREDENTIALS = Credentials(ROOT_KEY, ROOT_SECRET)
TARGETS = {"ssm": "AmazonSSM", "acm": "CertificateManager", "dynamodb": "DynamoDB_20120810"}


def send(door: Door, service: str, body: bytes, headers: dict[str, str], method: str = "POST") -> urllib3.HTTPResponse:
    """Any body, rightly signed."""
    request = AWSRequest(method, f"{door.url}/", headers, body)
    SigV4Auth(CREDENTIALS, service, REGION).add_auth(request)
    return urllib3.request(method, door.url + "/", body=body, headers=dict(request.headers), timeout=10)


def test_a_living_operation_answers_and_its_errors_keep_their_code(door: Door) -> None:
    ec2 = door.client("ec2")
    assert ec2.get_console_output(InstanceId="i-1")["Output"] == "boot"
    with pytest.raises(ClientError) as missing:
        ec2.get_console_output(InstanceId="i-2")
    assert missing.value.response["Error"]["Code"] == "InvalidInstanceID.NotFound"


def test_a_defect_is_an_internal_failure_that_tells_nothing(door: Door) -> None:
    with pytest.raises(ClientError) as failed:
        door.client("ec2").reboot_instances(InstanceIds=["i-1"])
    assert failed.value.response["Error"]["Code"] == "InternalFailure"
    assert ROOT_SECRET not in str(failed.value.response)


def test_only_what_may_have_changed_something_wakes_the_control_loop(door: Door) -> None:
    door.changes.clear()
    door.client("ec2").describe_vpcs()
    assert door.changes == []
    door.client("ec2").create_key_pair(KeyName="wakes")
    assert door.changes == ["changed"]


def test_what_the_lab_lacks_is_said_with_where_to_look(door: Door) -> None:
    with pytest.raises(ClientError) as lacking:
        door.client("ec2").describe_spot_price_history()
    assert lacking.value.response["Error"]["Code"] == "UnsupportedOperation"
    assert f"{door.url}/_ground/operations" in lacking.value.response["Error"]["Message"]
    listed = urllib3.request("GET", f"{door.url}/_ground/operations").json()
    assert listed["ec2"]["GetConsoleOutput"] == "alive"
    assert listed["ec2"]["DescribeVpcs"] == "record"


def test_a_service_the_lab_lacks_is_an_error_of_aws(door: Door) -> None:
    with pytest.raises(ClientError) as lacking:
        door.client("sns").list_topics()
    assert lacking.value.response["Error"]["Code"] == "UnsupportedOperation"


def test_an_action_aws_does_not_have_is_invalid(door: Door) -> None:
    body = b"Action=DescribeUnicorns&Version=2016-11-15"
    answer = send(door, "ec2", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, b"InvalidAction" in answer.data) == (400, True)


def test_another_region_of_aws_is_empty_and_nothing_living_can_be_made_there(door: Door) -> None:
    abroad = door.client("ec2", region_name="us-east-1")
    assert abroad.describe_instances()["Reservations"] == []
    with pytest.raises(ClientError) as refused:
        abroad.reboot_instances(InstanceIds=["i-1"])
    assert REGION in refused.value.response["Error"]["Message"]


def test_a_body_beyond_the_limit_is_refused(door: Door) -> None:
    body = b"Action=DescribeVpcs&Version=2016-11-15&x=" + b"x" * application.BODY_LIMIT
    answer = send(door, "ec2", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, b"RequestEntityTooLarge" in answer.data) == (413, True)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:4561"])
def test_other_names_of_this_machine_are_refused(door: Door, host: str) -> None:
    answer = urllib3.request("GET", f"{door.url}/_ground/operations", headers={"Host": host})
    assert (answer.status, b"InvalidHost" in answer.data) == (403, True)


@pytest.mark.parametrize("given_secret", ["", "Bearer wrong", f"Bearer {ROOT_KEY}"])
def test_the_labs_own_address_is_for_its_owner(door: Door, given_secret: str) -> None:
    answer = urllib3.request("GET", f"{door.url}/_ground/status", headers={"Authorization": given_secret})
    assert answer.status == 403
    mine = urllib3.request("GET", f"{door.url}/_ground/status", headers={"Authorization": f"Bearer {ROOT_SECRET}"})
    assert mine.json() == {"path": "/status"}


def test_a_control_character_in_a_name_leaves_answers_readable(door: Door) -> None:
    ec2 = door.client("ec2")
    group = ec2.create_security_group(GroupName="odd", Description="a\x07b")["GroupId"]
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["Description"] == "a?b"


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        ("ec2", "Action=GetConsoleOutput&Version=2016-11-15", "MissingParameter"),
        ("ec2", "Action=CreateSecurityGroup&Version=2016-11-15&GroupName=x", "MissingParameter"),
        ("iam", "Action=CreateUser&Version=2010-05-08", "ValidationError"),
    ],
)
def test_a_missing_parameter_is_named(door: Door, service: str, body: str, code: str) -> None:
    answer = send(door, service, body.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, f"<Code>{code}</Code>" in answer.data.decode()) == (400, True), answer.data


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    service=st.sampled_from(["ec2", "elasticloadbalancing", "iam", "ssm", "sts", "acm", "monitoring", "dynamodb", "%"]),
    action=st.sampled_from(["DescribeVpcs", "CreateTags", "GetParameter", "ListUsers", "CreateListener", "\x00", ""]),
    body=st.one_of(st.binary(max_size=60), st.sampled_from([b"{", b"[]", b"null", b'{"Name": 5}', b"%ff=%zz&a.1.b"])),
)
def test_a_signed_but_senseless_request_gets_an_error_of_aws(
    door: Door, service: str, action: str, body: bytes
) -> None:
    speaks_json = service in TARGETS
    headers = {"Content-Type": "application/x-amz-json-1.1" if speaks_json else "application/x-www-form-urlencoded"}
    if speaks_json:
        headers["X-Amz-Target"] = f"{TARGETS[service]}.{action or 'x'}".replace("\x00", "0")
    else:
        body = f"Action={action}&Version=2016-11-15&".encode() + body
    answer = send(door, service, body, headers)
    assert answer.data or answer.status < 400, (service, action, body, answer.status, dict(answer.headers))
    check_shape(answer)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    authorization=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60),
    prefix=st.sampled_from(["", "AWS4-HMAC-SHA256 ", f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/1/{REGION}/ec2/aws4_"]),
)
def test_a_senseless_signature_gets_an_error_of_aws(door: Door, authorization: str, query: str, prefix: str) -> None:
    answer = urllib3.request("GET", f"{door.url}/?{query}", headers={"Authorization": prefix + authorization})
    check_shape(answer)
    assert answer.status in (400, 401, 403)


def check_shape(answer: urllib3.HTTPResponse) -> None:
    text = answer.data.decode()
    assert answer.status < 500 or b"ServiceUnavailable" in answer.data, text
    assert ROOT_SECRET not in text
    assert "Traceback" not in text
    if answer.status >= 400:
        assert re.search(r"<Code>[\w.]+</Code>|\"__type\"", text), text


@pytest.mark.parametrize(
    "sent", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"]
)
def test_what_is_not_http_is_answered_or_closed(door: Door, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as client:
        client.sendall(sent)
        answer = client.recv(65536)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert b"Traceback" not in answer
