"""The bucket of the releases: protected when made, protected again when somebody opened it, and gone in the end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from groundschool.workshop.component import perform
from groundschool.workshop.release_bucket import PROTECTIONS, by_tls_only, delete_bucket, plan_bucket, unprotected
from groundschool.workshop.world import World


@pytest.fixture
def bucket(world: World) -> str:
    perform(plan_bucket(world))
    return world.release_bucket


def test_a_new_bucket_keeps_versions_encrypts_is_private_and_refuses_plain_http(world: World, bucket: str) -> None:
    assert world.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    [rule] = world.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    blocked = world.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert list(blocked.values()) == [True] * 4
    [statement] = json.loads(world.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert plan_bucket(world) == []


@pytest.mark.parametrize(
    ("weaken", "missing"),
    [
        pytest.param(
            lambda s3, name: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"}),
            "versioned",
            id="versions are suspended",
        ),
        pytest.param(lambda s3, name: s3.delete_bucket_encryption(Bucket=name), "encrypted", id="encryption is gone"),
        pytest.param(lambda s3, name: s3.delete_public_access_block(Bucket=name), "private", id="the block is gone"),
        pytest.param(lambda s3, name: s3.delete_bucket_policy(Bucket=name), "TLS only", id="the policy is gone"),
    ],
)
def test_a_protection_that_is_gone_is_planned_alone_and_comes_back(
    world: World, bucket: str, weaken: Callable[[object, str], object], missing: str
) -> None:
    weaken(world.s3, bucket)

    assert [each.says for each in plan_bucket(world)] == [f"Make S3 bucket {bucket} {missing}"]
    perform(plan_bucket(world))
    assert unprotected(world) == []


def test_a_world_reached_without_tls_is_not_shut_out_of_its_own_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert by_tls_only(World.from_environment()), "answered without asking: nobody listens there"
    assert "TLS only" in PROTECTIONS


def test_the_bucket_goes_with_every_version_and_every_delete_marker(world: World, bucket: str) -> None:
    for body in (b"1", b"2"):
        world.s3.put_object(Bucket=bucket, Key="releases/a", Body=body)
    world.s3.delete_object(Bucket=bucket, Key="releases/a")
    seen = world.s3.list_object_versions(Bucket=bucket)
    assert (len(seen["Versions"]), len(seen["DeleteMarkers"])) == (2, 1)

    delete_bucket(world)

    with pytest.raises(ClientError, match="404"):
        world.s3.head_bucket(Bucket=bucket)
