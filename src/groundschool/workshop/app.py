"""Component 5: the Visitor Board on the instance, installed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from groundschool import endpoint
from groundschool.errors import BuildError
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.install_script import install_script
from groundschool.workshop.instance import find_instance
from groundschool.workshop.public_address import public_url
from groundschool.workshop.release import Release, make_release
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef

INSTALLED = "Release"
"""The instance's tag that says which release was put on it."""

UNFINISHED = ("Pending", "InProgress", "Delayed", "Cancelling")


def current_release(world: World) -> Release:
    return make_release(world.settings.app_distribution)


def bucket_exists(world: World) -> bool:
    return exists(lambda: world.s3.head_bucket(Bucket=world.release_bucket))


def is_published(world: World, release: Release) -> bool:
    return exists(lambda: world.s3.head_object(Bucket=world.release_bucket, Key=release.key))


class App(Component):
    """The release in a bucket, and the board running from it on the instance of session 1."""

    number = 5
    session = 1
    name = "app"
    title = "Visitor Board on the instance"
    why = (
        "One command puts a numbered release on a machine, which is quick for one and hopeless for ten: what is "
        "done by hand here becomes the template's user data later, paid for with a slower boot than a ready-made "
        "image."
    )
    depends_on = ("table", "role", "instance")

    def plan(self, world: World) -> list[Action]:
        release, bucket = current_release(world), world.release_bucket
        actions = []
        has_bucket = bucket_exists(world)
        if not has_bucket:
            actions.append(Action(f"Create S3 bucket {bucket}", lambda: create_bucket(world)))
        elif "Project" not in bucket_tags(world):
            actions.append(Action(f"Tag S3 bucket {bucket}", lambda: tag_bucket(world)))
        if not has_bucket or not is_published(world, release):
            actions.append(
                Action(
                    f"Upload release {release.digest} ({len(release.files)} files)",
                    lambda: world.s3.put_object(Bucket=bucket, Key=release.key, Body=release.archive()),
                )
            )
        if installed_release(world) != release.digest:
            actions.append(
                Action(f"Install release {release.digest} on the instance", lambda: install(world, release)),
            )
        return actions

    def wait(self, world: World) -> None:
        url = public_url(world)
        if url is not None:
            world.wait(f"the board at {url}", lambda: status(world, url) == 200)

    def inspect(self, world: World) -> Check:
        if find_instance(world) is None and public_url(world) is None:
            return absent("nothing that could serve the board", "What would the app run on?")
        url = public_url(world)
        if url is None:
            return wrong("the instance has no public address", "How would a visitor's packet find it?")
        seen = status(world, url)
        if seen is None:
            return wrong(
                f"{url} does not answer", "Is the app running, does it listen on that port, and does a rule admit you?"
            )
        if seen != 200:
            return wrong(f"{url} answers {seen} to the health check", "What does the app's log say? ground shell")
        return right(f"{url} serves the Visitor Board")

    def removal(self, world: World) -> list[Action]:
        bucket = world.release_bucket
        if not bucket_exists(world):
            return []
        world.must_own(f"S3 bucket {bucket}", bucket_tags(world))
        return [Action(f"Delete S3 bucket {bucket} and its releases", lambda: delete_bucket(world))]


def exists(head: Callable[[], object]) -> bool:
    """Whether a HEAD request finds something; S3 answers it with a bare 404."""
    try:
        head()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def bucket_tags(world: World) -> dict[str, str]:
    try:
        return tag_map(world.s3.get_bucket_tagging(Bucket=world.release_bucket)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


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


def tag_bucket(world: World) -> None:
    """Its name holds the account's id and the region, so a bucket that is found is the account's own."""
    bucket = world.release_bucket
    tags = bucket_tags(world) | world.tags(bucket)
    tag_set: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    world.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})


def delete_bucket(world: World) -> None:
    bucket = world.release_bucket
    for page in world.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            world.s3.delete_object(Bucket=bucket, Key=each["Key"])
    world.s3.delete_bucket(Bucket=bucket)


def installed_release(world: World) -> str | None:
    instance = find_instance(world)
    return tag_map(instance.get("Tags", [])).get(INSTALLED) if instance else None


def install(world: World, release: Release) -> None:
    """Runs the script through Session Manager, and notes the release on the instance once it serves."""
    instance = find_instance(world)
    if instance is None:
        raise BuildError("There is no instance to install the app on. Build it first: ground build instance")
    instance_id = instance["InstanceId"]
    result = run_script(world, instance_id, install_script(world))
    if result["Status"] != "Success":
        lines = (result["StandardOutputContent"] + result["StandardErrorContent"]).strip().splitlines()
        raise BuildError(
            f"The install script ended with {result['Status']} on {instance_id}: "
            f"{' | '.join(lines[-3:]) or 'no output'}. Look around there: ground shell {instance_id}"
        )
    world.ec2.create_tags(Resources=[instance_id], Tags=[{"Key": INSTALLED, "Value": release.digest}])


def run_script(world: World, instance_id: str, script: str) -> GetCommandInvocationResultTypeDef:
    """Sends the script once the instance's agent is registered, and returns its finished invocation."""
    ssm = world.ssm

    def sent() -> str | None:
        try:
            answer = ssm.send_command(
                InstanceIds=[instance_id],
                DocumentName="AWS-RunShellScript",
                Comment="Install the Visitor Board",
                Parameters={"commands": [script]},
            )
        except ssm.exceptions.InvalidInstanceId:
            return None
        return answer["Command"]["CommandId"]

    command_id = world.wait(f"{instance_id} to register with Systems Manager", sent)

    def finished() -> GetCommandInvocationResultTypeDef | None:
        try:
            seen = ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        except ssm.exceptions.InvocationDoesNotExist:
            return None
        return None if seen["Status"] in UNFINISHED else seen

    return world.wait(f"the install script on {instance_id}", finished)


def status(world: World, url: str) -> int | None:
    """What the health path answers, None when nobody does."""
    try:
        return endpoint.fetch(url.rstrip("/") + world.settings.health_path).status
    except OSError:
        return None
