"""IMDSv2 as an instance sees it, through plain HTTP and through an unmodified botocore."""

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import botocore.exceptions
import botocore.session
import pytest

from groundschool.cloud.metadata.identity import InstanceIdentity, RoleCredentials
from groundschool.cloud.metadata.service import MetadataService
from groundschool.cloud.metadata.session_token import SessionTokens
from groundschool.cloud.metadata.tree import look_up, metadata_tree
from groundschool.errors import LabError

PORT = 23338
ONE, TWO = "127.1.20.11", "127.1.20.12"
LAUNCHED = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)

IDENTITY = InstanceIdentity(
    instance_id="i-one",
    image_id="ami-1",
    instance_type="t3.micro",
    availability_zone="eu-north-1a",
    region="eu-north-1",
    account_id="123456789012",
    private_ip="127.0.20.11",
    public_ip="127.0.0.1",
    reservation_id="r-1",
    security_groups=("web", "default"),
    pending_time=LAUNCHED,
    instance_profile_arn="arn:aws:iam::123456789012:instance-profile/board",
    target_lifecycle_state="InService",
    user_data="#!/bin/bash\necho hello\n",
)
CREDENTIALS = RoleCredentials("board-role", "ASIAX", "secret", "session", LAUNCHED, LAUNCHED + timedelta(hours=6))


class Lab:
    def __init__(self) -> None:
        self.identities = {"i-one": IDENTITY, "i-two": replace(IDENTITY, instance_id="i-two")}
        self.credentials: dict[str, RoleCredentials] = {}
        self.service = MetadataService(self.identities.get, self.credentials.get, PORT)
        self.service.open("i-one", ONE)
        self.service.open("i-two", TWO)

    def request(self, method: str, path: str, address: str = ONE, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(address, PORT, timeout=5)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def token(self, address: str = ONE, ttl: str = "60") -> str:
        status, token = self.request("PUT", "/latest/api/token", address, X_aws_ec2_metadata_token_ttl_seconds=ttl)
        assert status == 200
        return token

    def get(self, path: str, address: str = ONE) -> tuple[int, str]:
        return self.request("GET", path, address, X_aws_ec2_metadata_token=self.token(address))


@pytest.fixture
def lab() -> Iterator[Lab]:
    found = Lab()
    yield found
    found.service.stop()


def test_a_request_without_a_token_is_401_and_with_one_is_answered(lab: Lab) -> None:
    assert lab.request("GET", "/latest/meta-data/instance-id")[0] == 401
    assert lab.get("/latest/meta-data/instance-id") == (200, "i-one")


def test_the_local_address_says_which_instance_asks(lab: Lab) -> None:
    assert lab.get("/latest/meta-data/instance-id", TWO) == (200, "i-two")


def test_a_token_is_valid_on_its_own_instance_only(lab: Lab) -> None:
    token = lab.token(ONE)
    assert lab.request("GET", "/latest/meta-data/instance-id", TWO, X_aws_ec2_metadata_token=token)[0] == 401


@pytest.mark.parametrize("ttl", ["0", "21601", "ten", "-1", ""])
def test_a_ttl_out_of_range_is_400(lab: Lab, ttl: str) -> None:
    assert lab.request("PUT", "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds=ttl)[0] == 400


def test_a_token_request_without_a_ttl_is_400(lab: Lab) -> None:
    assert lab.request("PUT", "/latest/api/token")[0] == 400


def test_a_token_request_that_passed_a_proxy_is_refused(lab: Lab) -> None:
    answer = lab.request(
        "PUT", "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="60", X_Forwarded_For="203.0.113.1"
    )
    assert answer[0] == 403


def test_with_optional_tokens_imdsv1_is_answered_but_a_wrong_token_is_not(lab: Lab) -> None:
    lab.identities["i-one"] = replace(IDENTITY, tokens_required=False)
    assert lab.request("GET", "/latest/meta-data/instance-id") == (200, "i-one")
    assert lab.request("GET", "/latest/meta-data/instance-id", X_aws_ec2_metadata_token="stale")[0] == 401


def test_a_disabled_endpoint_answers_403(lab: Lab) -> None:
    lab.identities["i-one"] = replace(IDENTITY, endpoint_enabled=False, tokens_required=False)
    assert lab.request("GET", "/latest/meta-data/instance-id")[0] == 403
    assert lab.request("PUT", "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="60")[0] == 403


def test_many_clients_at_once_all_get_their_answer(lab: Lab) -> None:
    """An app with many workers asks for credentials at the same moment, and botocore tries only once."""
    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(lambda _: lab.get("/latest/meta-data/instance-id"), range(80)))
    assert set(answers) == {(200, "i-one")}


def test_a_silent_client_does_not_keep_others_from_their_answer(lab: Lab) -> None:
    with socket.create_connection((ONE, PORT)):
        assert lab.get("/latest/meta-data/instance-id") == (200, "i-one")


def test_a_taken_port_is_named(lab: Lab) -> None:
    with pytest.raises(LabError, match=f"{ONE}:{PORT}"):
        lab.service.open("i-three", ONE)


def test_after_close_nothing_listens(lab: Lab) -> None:
    lab.service.close("i-one")
    with pytest.raises(ConnectionRefusedError):
        lab.request("GET", "/")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/", "latest", id="the versions"),
        pytest.param("/latest/", "dynamic/\nmeta-data/\nuser-data", id="a version"),
        pytest.param("/latest/meta-data/placement/", "availability-zone\nregion", id="a folder"),
        pytest.param("/latest/meta-data/placement/availability-zone", "eu-north-1a", id="availability zone"),
        pytest.param("/latest/meta-data/placement/region", "eu-north-1", id="region"),
        pytest.param("/latest/meta-data/local-ipv4", "127.0.20.11", id="private address"),
        pytest.param("/latest/meta-data/public-ipv4", "127.0.0.1", id="public address"),
        pytest.param("/latest/meta-data/security-groups", "web\ndefault", id="security groups"),
        pytest.param("/latest/meta-data/autoscaling/target-lifecycle-state", "InService", id="lifecycle state"),
        pytest.param("/latest/meta-data/iam/security-credentials/", "board-role", id="the role's name"),
        pytest.param("/latest/user-data", "#!/bin/bash\necho hello\n", id="user data"),
        pytest.param("/latest/meta-data/nothing", None, id="an unknown leaf"),
        pytest.param("/2009-04-04/meta-data/", None, id="an unknown version"),
    ],
)
def test_a_path_shows_its_value_or_lists_its_children(path: str, expected: str | None) -> None:
    assert look_up(metadata_tree(IDENTITY, CREDENTIALS), path) == expected


def test_what_an_instance_does_not_have_is_not_listed() -> None:
    bare = replace(IDENTITY, public_ip=None, instance_profile_arn=None, target_lifecycle_state=None, user_data="")
    tree = metadata_tree(bare, None)
    listing = look_up(tree, "/latest/meta-data/") or ""
    assert not {"iam/", "public-ipv4", "autoscaling/"} & set(listing.splitlines())
    assert look_up(tree, "/latest/user-data") is None
    assert look_up(tree, "/latest/meta-data/iam/security-credentials/") is None


def test_the_identity_document_is_json_with_awss_names() -> None:
    document = json.loads(look_up(metadata_tree(IDENTITY, None), "/latest/dynamic/instance-identity/document") or "")
    assert (document["instanceId"], document["accountId"], document["pendingTime"]) == (
        "i-one",
        "123456789012",
        "2026-11-22T18:00:00Z",
    )


def test_a_token_ends_with_its_ttl() -> None:
    now = 0.0
    tokens = SessionTokens(lambda: now)
    token = tokens.issue("60") or ""
    assert tokens.valid(token)
    now = 60.0
    assert not tokens.valid(token)


def session(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> botocore.session.Session:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    return botocore.session.Session()


def test_botocore_finds_the_roles_credentials_with_no_configuration(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    lab.credentials["i-one"] = replace(CREDENTIALS, last_updated=now, expiration=now + timedelta(hours=6))
    found = session(monkeypatch, lab.service.open("i-one", ONE)).get_credentials()
    frozen = found.get_frozen_credentials()
    assert (found.method, frozen.access_key, frozen.secret_key, frozen.token) == (
        "iam-role",
        "ASIAX",
        "secret",
        "session",
    )


def test_without_an_instance_profile_botocore_says_unable_to_locate_credentials(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.identities["i-one"] = replace(IDENTITY, instance_profile_arn=None)
    client = session(monkeypatch, lab.service.open("i-one", ONE)).create_client(
        "sts", region_name="eu-north-1", endpoint_url="http://127.0.20.99:23399"
    )
    with pytest.raises(botocore.exceptions.NoCredentialsError, match="Unable to locate credentials"):
        client.get_caller_identity()
    client.close()
