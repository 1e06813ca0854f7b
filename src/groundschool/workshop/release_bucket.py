"""The bucket of the releases: versioned, encrypted, private, and by TLS only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from groundschool.workshop.component import Action
from groundschool.workshop.release import Release
from groundschool.workshop.world import World, tag_map

PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
"""With keys of S3's own: they cost nothing, and the role needs no permission for a key."""

NOT_SET = {"NoSuchTagSet", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration"} | {
    "ServerSideEncryptionConfigurationNotFoundError"
}
"""What S3 answers when asked for a setting that has never been made."""


def plan_bucket(world: World) -> list[Action]:
    """What is missing for the bucket to be there and protected."""
    bucket = world.release_bucket
    if not bucket_exists(world):
        return [Action(f"Create S3 bucket {bucket} ({', '.join(PROTECTIONS)})", lambda: create_bucket(world))]
    actions = []
    if "Project" not in bucket_tags(world):
        actions.append(Action(f"Tag S3 bucket {bucket}", lambda: tag_bucket(world)))
    if missing := unprotected(world):
        actions.append(Action(f"Make S3 bucket {bucket} {' and '.join(missing)}", lambda: protect(world)))
    return actions


def plan_publication(world: World, release: Release) -> list[Action]:
    """What is missing for instances to be able to fetch the release: its bucket, and the archive in it."""
    actions = plan_bucket(world)
    if not bucket_exists(world) or not is_published(world, release):
        actions.append(
            Action(
                f"Upload release {release.digest} ({len(release.files)} files)",
                lambda: world.s3.put_object(Bucket=world.release_bucket, Key=release.key, Body=release.archive()),
            )
        )
    return actions


def bucket_exists(world: World) -> bool:
    return exists(lambda: world.s3.head_bucket(Bucket=world.release_bucket))


def is_published(world: World, release: Release) -> bool:
    return exists(lambda: world.s3.head_object(Bucket=world.release_bucket, Key=release.key))


def exists(head: Callable[[], object]) -> bool:
    """Whether a HEAD request finds something; S3 answers it with a bare 404."""
    try:
        head()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def setting(ask: Callable[[], Any]) -> Any:
    """What S3 answers, an empty dict for what has never been set."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_SET:
            return {}
        raise


def bucket_tags(world: World) -> dict[str, str]:
    found = setting(lambda: world.s3.get_bucket_tagging(Bucket=world.release_bucket))
    return tag_map(found.get("TagSet", []))


def versioned(world: World) -> bool:
    return world.s3.get_bucket_versioning(Bucket=world.release_bucket).get("Status") == "Enabled"


def encrypted(world: World) -> bool:
    """S3 encrypts every bucket by itself since January 2023; asked all the same, because it is a promise here."""
    return bool(setting(lambda: world.s3.get_bucket_encryption(Bucket=world.release_bucket)))


def private(world: World) -> bool:
    found = setting(lambda: world.s3.get_public_access_block(Bucket=world.release_bucket))
    return bool(found.get("PublicAccessBlockConfiguration") == PRIVATE)


def by_tls_only(world: World) -> bool:
    """A world whose S3 is reached without TLS would shut itself out, so there nothing is asked for."""
    if not world.s3.meta.endpoint_url.startswith("https://"):
        return True
    found = setting(lambda: world.s3.get_bucket_policy(Bucket=world.release_bucket))
    return bool(found and json.loads(found["Policy"])["Statement"] == tls_only(world.release_bucket)["Statement"])


def tls_only(bucket: str) -> dict[str, Any]:
    """Pure. AWS: security best practices for Amazon S3, enforce encryption of data in transit."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


PROTECTIONS: dict[str, Callable[[World], bool]] = {
    "versioned": versioned,
    "encrypted": encrypted,
    "private": private,
    "TLS only": by_tls_only,
}


def unprotected(world: World) -> list[str]:
    return [name for name, is_so in PROTECTIONS.items() if not is_so(world)]


def protect(world: World) -> None:
    """Sets what is missing."""
    bucket, missing = world.release_bucket, unprotected(world)
    if "versioned" in missing:
        world.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    if "encrypted" in missing:
        world.s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration=ENCRYPTED,  # type: ignore[arg-type]
        )
    if "private" in missing:
        world.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=PRIVATE)  # type: ignore[arg-type]
    if "TLS only" in missing:
        world.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(tls_only(bucket)))


def create_bucket(world: World) -> None:
    """With its tags in the same request: a build that ends here must not leave a bucket that nobody owns.

    us-east-1 is the one region that must not be named.
    """
    bucket = world.release_bucket
    configuration: Any = {"Tags": world.tag_list(bucket)}
    if world.region != "us-east-1":
        configuration["LocationConstraint"] = world.region
    world.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration)
    if "Project" not in bucket_tags(world):  # a server older than S3's tags at creation
        tag_bucket(world)
    protect(world)


def tag_bucket(world: World) -> None:
    """Its name holds the account's id and the region, so a bucket that is found is the account's own."""
    bucket = world.release_bucket
    tags = bucket_tags(world) | world.tags(bucket)
    tag_set: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    world.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})


def delete_bucket(world: World) -> None:
    """With every version and every delete marker: a versioned bucket that looks empty still cannot be deleted."""
    bucket = world.release_bucket
    for page in world.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            world.s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    world.s3.delete_bucket(Bucket=bucket)
