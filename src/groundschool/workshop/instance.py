"""Component 4: the first instance, launched by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from groundschool.errors import BuildError
from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.security_group import WHO_NEEDS_SSH, instance_group_name, need_group, ssh_doors
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

ALIVE = ("pending", "running", "stopping", "stopped")
ENDED = ("shutting-down", "terminated")


def by_hand_name(world: World) -> str:
    """The instance of session 1 is one of a kind; the group's instances share the plain name."""
    return f"{world.name}-by-hand"


def find_instance(world: World) -> InstanceTypeDef | None:
    """The instance of session 1 unless it is terminated; when a learner has made several, the one launched last."""
    found = find_instances(world, "Name", by_hand_name(world))
    return max(found, key=lambda instance: instance["LaunchTime"], default=None)


def find_instances(world: World, tag: str, value: str) -> list[InstanceTypeDef]:
    """All instances with that tag that are not terminated or on their way there."""
    pages = world.ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": f"tag:{tag}", "Values": [value]}, {"Name": "instance-state-name", "Values": list(ALIVE)}]
    )
    return [instance for page in pages for each in page["Reservations"] for instance in each["Instances"]]


def image_id(world: World) -> str:
    """The newest Amazon Linux 2023. Looked up once and pinned: all instances of a template version boot the same image,
    and a newer one arrives as a planned change; ``resolve:ssm:`` in the template would mix images within one group."""
    name = world.settings.image_parameter
    try:
        return world.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except world.ssm.exceptions.ParameterNotFound:
        raise BuildError(
            f"{world.region} has no SSM parameter {name}: is this a region with Amazon Linux 2023?"
        ) from None


def root_volume(world: World) -> list[Any]:
    """The block device mappings: one disk, on Amazon Linux's root device. AWS encrypts it with the account's own key
    for EBS, at no charge. (boto3 has two types for the one shape.)"""
    disk = {"VolumeSize": world.settings.volume_size, "VolumeType": "gp3", "Encrypted": True}
    return [{"DeviceName": "/dev/xvda", "Ebs": {**disk, "DeleteOnTermination": True}}]


def instance_url(world: World) -> str | None:
    """Where the instance of session 1 is reached from outside, None while it has no public address."""
    instance = find_instance(world)
    address = instance.get("PublicIpAddress") if instance else None
    return f"http://{address}:{world.settings.app_port}/" if address else None


class Instance(Component):
    """One EC2 instance with the role, the security group and IMDSv2, and nothing on it yet."""

    number = 4
    session = 1
    name = "instance"
    title = "EC2 instance"
    why = (
        "One machine is the simplest thing that can serve, and the whole design to come is about no longer needing "
        "this particular one; IMDSv2 stops a forged request from reading its credentials, at the price of clients "
        "that must ask twice."
    )
    depends_on = ("security-group", "role")

    def plan(self, world: World) -> list[Action]:
        instance = find_instance(world)
        if instance is None:
            what = f"Launch EC2 instance {by_hand_name(world)} ({world.settings.instance_type}, IMDSv2 only)"
            return [Action(what, lambda: launch(world))]
        if instance["State"]["Name"] in ("stopping", "stopped"):
            return [
                Action(f"Start EC2 instance {instance['InstanceId']}", lambda: start(world, instance["InstanceId"]))
            ]
        return []

    def wait(self, world: World) -> None:
        world.wait(f"EC2 instance {by_hand_name(world)} to be running", lambda: is_running(world))

    def inspect(self, world: World) -> Check:
        instance = find_instance(world)
        if instance is None:
            return absent(
                f"no instance with the tag Name={by_hand_name(world)} in {world.region}",
                "What turns an image into a running machine? And in which region did you look?",
            )
        state, instance_id = instance["State"]["Name"], instance["InstanceId"]
        if state != "running":
            return wrong(f"{instance_id} is {state}", "What does a machine cost, and do, while it does not run?")
        if "IamInstanceProfile" not in instance:
            return wrong(
                f"{instance_id} has no instance profile", "Where will boto3 on it find credentials, if not in a file?"
            )
        if instance.get("MetadataOptions", {}).get("HttpTokens", "required") != "required":
            return wrong(f"{instance_id} answers IMDSv1", "What could a request forged through the app read there?")
        groups = {group["GroupName"] for group in instance.get("SecurityGroups", [])}
        if instance_group_name(world) not in groups:
            return wrong(
                f"{instance_id} is in {', '.join(sorted(groups)) or 'no group'}",
                f"Which rules apply to an instance that is not in {instance_group_name(world)}?",
            )
        if doors := ssh_doors(world, (group["GroupId"] for group in instance["SecurityGroups"])):
            return wrong(f"{instance_id} can be reached: {doors}", WHO_NEEDS_SSH)
        zone = instance.get("Placement", {}).get("AvailabilityZone", "an unknown zone")
        return right(f"{instance_id} is running in {zone} at {instance.get('PublicIpAddress', 'no public address')}")

    def removal(self, world: World) -> list[Action]:
        actions = []
        for instance in find_instances(world, "Name", by_hand_name(world)):
            world.must_own(f"EC2 instance {instance['InstanceId']}", tag_map(instance.get("Tags", [])))
            actions.append(termination(world, instance["InstanceId"]))
        return actions


def is_running(world: World) -> bool:
    instance = find_instance(world)
    if instance is None or instance["State"]["Name"] in ("stopping", "stopped"):
        raise BuildError(
            f"EC2 instance {by_hand_name(world)} ended while starting. Its console output says why: "
            f"ground status, then aws ec2 get-console-output"
        )
    return instance["State"]["Name"] == "running"


def launch(world: World) -> None:
    instance_id = run_instance(world, image_id(world), by_hand_name(world))
    world.wait(f"EC2 instance {instance_id} to be listed", lambda: find_instance(world) is not None)


def run_instance(world: World, image: str, name: str) -> str:
    """Launches one instance with nothing on it, and returns its id.

    Asks again while the instance profile, seconds old, is not yet known to EC2.
    """
    request = launch_request(world, image, name)

    def launched() -> str | None:
        try:
            return launch_somewhere(world, request)
        except ClientError as error:
            if "Invalid IAM Instance Profile" in error.response["Error"]["Message"]:
                return None
            raise

    return world.wait(f"instance profile {world.iam_name} to be known to EC2", launched)


def launch_request(world: World, image: str, name: str) -> dict[str, Any]:
    """Everything but the subnet."""
    return {
        "ImageId": image,
        "InstanceType": world.settings.instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "SecurityGroupIds": [need_group(world, instance_group_name(world)).group_id],
        "IamInstanceProfile": {"Name": world.iam_name},
        "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": root_volume(world),
        "TagSpecifications": [*world.tag_specification("instance", name), *world.tag_specification("volume", name)],
    }


def launch_somewhere(world: World, request: dict[str, Any]) -> str:
    """In the first zone that has such an instance free; its id."""
    *others, last = world.subnet_ids
    for subnet_id in others:
        try:
            return launch_once(world, {**request, "SubnetId": subnet_id})
        except ClientError as error:
            if error.response["Error"]["Code"] != "InsufficientInstanceCapacity":
                raise
    return launch_once(world, {**request, "SubnetId": last})


def launch_once(world: World, request: dict[str, Any]) -> str:
    """The id of the instance that was launched, now or by an earlier attempt that did not live to see its answer.

    AWS: a request repeated with its client token returns the instance it made before, up to a day and more after that
    one is terminated; only the state it shows is new (EC2 API reference, Ensuring idempotency). So the token follows
    from the request, and each instance that has ended gives way to a next token.
    """
    ended: list[str] = []
    while True:
        answer = world.ec2.run_instances(**request, ClientToken=client_token(request, ended))
        instance = answer["Instances"][0]
        if instance["State"]["Name"] not in ENDED:
            return instance["InstanceId"]
        ended.append(instance["InstanceId"])


def client_token(request: dict[str, Any], ended: list[str]) -> str:
    """Pure: 64 characters, the most EC2 takes. The request names the security group, which each build makes anew."""
    return hashlib.sha256(json.dumps([request, ended], sort_keys=True).encode()).hexdigest()


def start(world: World, instance_id: str) -> None:
    def stopped() -> bool:
        instance = find_instance(world)
        return instance is not None and instance["State"]["Name"] == "stopped"

    world.wait(f"{instance_id} to be stopped", stopped)
    world.ec2.start_instances(InstanceIds=[instance_id])


def termination(world: World, instance_id: str) -> Action:
    return Action(f"Terminate EC2 instance {instance_id}", lambda: terminate(world, instance_id))


def terminate(world: World, instance_id: str) -> None:
    world.ec2.terminate_instances(InstanceIds=[instance_id])
    wait_terminated(world, [instance_id])


def wait_terminated(world: World, instance_ids: list[str]) -> None:
    def terminated() -> bool:
        found = world.ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": instance_ids}])
        states = [each["State"]["Name"] for every in found["Reservations"] for each in every["Instances"]]
        return all(state == "terminated" for state in states)

    if instance_ids:
        world.wait(f"{', '.join(instance_ids)} to be terminated", terminated)
