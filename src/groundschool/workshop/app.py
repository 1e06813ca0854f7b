"""Component 5: the Visitor Board on the instance, installed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool import endpoint
from groundschool.errors import BuildError
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.install_script import current_release, install_script
from groundschool.workshop.instance import find_instance
from groundschool.workshop.public_address import public_url
from groundschool.workshop.release import Release
from groundschool.workshop.release_bucket import bucket_exists, bucket_tags, delete_bucket, plan_publication
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef

INSTALLED = "Release"
"""The instance's tag that says which release was put on it."""

UNFINISHED = ("Pending", "InProgress", "Delayed", "Cancelling")


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
        release = current_release(world)
        actions = plan_publication(world, release)
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


def installed_release(world: World) -> str | None:
    instance = find_instance(world)
    return tag_map(instance.get("Tags", [])).get(INSTALLED) if instance else None


def install(world: World, release: Release) -> None:
    """Runs the script through Session Manager, and notes the release on the instance once it serves."""
    instance = find_instance(world)
    if instance is None:
        raise BuildError("There is no instance to install the app on. Build it first: ground build instance")
    instance_id = instance["InstanceId"]
    run_script(
        world, instance_id, "install script", install_script(world), f"Look around there: ground shell {instance_id}"
    )
    world.ec2.create_tags(Resources=[instance_id], Tags=[{"Key": INSTALLED, "Value": release.digest}])


def run_script(world: World, instance_id: str, what: str, script: str, next_step: str) -> None:
    """Runs the script as root once the instance's agent is registered.

    BuildError, with its last words and ``next_step``, when it fails.
    """
    ssm = world.ssm

    def sent() -> str | None:
        try:
            answer = ssm.send_command(
                InstanceIds=[instance_id],
                DocumentName="AWS-RunShellScript",
                Comment=f"Visitor Board: {what}",
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

    result = world.wait(f"the {what} on {instance_id}", finished)
    if result["Status"] != "Success":
        lines = (result["StandardOutputContent"] + result["StandardErrorContent"]).strip().splitlines()
        raise BuildError(
            f"The {what} ended with {result['Status']} on {instance_id}: "
            f"{' | '.join(lines[-3:]) or 'no output'}. {next_step}"
        )


def status(world: World, url: str) -> int | None:
    """What the health path answers, None when nobody does."""
    try:
        return endpoint.fetch(url.rstrip("/") + world.settings.health_path).status
    except OSError:
        return None
