"""A passive AWS that fails when it is told to, and a census of what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from groundschool.workshop.world import World

READING = ("Describe", "Get", "List", "Head")
SERVICES = "autoscaling dynamodb ec2 elbv2 iam s3 ssm sts tagging".split()


class Fault:
    """Raises right after a change took effect: its answer was lost, or Ctrl-C came, or the next call fails."""

    def __init__(self, world: World) -> None:
        self.made: list[str] = []
        self._after: Callable[[str], BaseException | None] = lambda name: None
        self._before: Callable[[str], BaseException | None] = lambda name: None
        _tag_buckets_at_creation(world)
        for service in SERVICES:
            events = getattr(world, service).meta.events
            events.register("before-call", self._called)
            events.register("after-call", self._answered)

    def none(self) -> None:
        self.made.clear()
        self._after = self._before = lambda name: None

    def interrupt_after_change(self, number: int) -> None:
        """Ctrl-C when the ``number``-th change from now on has been made."""
        self.none()
        self._after = lambda name: KeyboardInterrupt() if len(self.made) == number else None

    def refuse(self, operation: str, code: str, times: int = 1_000_000) -> None:
        """The next ``times`` calls of the operation have no effect and answer ``code``."""
        self.none()
        left = [times]

        def refused(name: str) -> BaseException | None:
            if name != operation or not left[0]:
                return None
            left[0] -= 1
            return aws_error(operation, code)

        self._before = refused

    def _called(self, model: Any, **_: Any) -> None:
        if (error := self._before(model.name)) is not None:
            raise error

    def _answered(self, model: Any, **_: Any) -> None:
        if model.name.startswith(READING) or model.name == "PutBucketTagging":
            return
        self.made.append(model.name)
        if (error := self._after(model.name)) is not None:
            raise error


def aws_error(operation: str, code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "It is so."}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)


def _tag_buckets_at_creation(world: World) -> None:
    """S3 does so with the tags of CreateBucket; moto 5.2 does not read them."""
    told: dict[str, Any] = {}

    def read(params: Any, **_: Any) -> None:
        told.update(params)

    def tag(**_: Any) -> None:
        tags = {"TagSet": told["CreateBucketConfiguration"]["Tags"]}
        world.s3.put_bucket_tagging(Bucket=told["Bucket"], Tagging=tags)  # type: ignore[arg-type]

    world.s3.meta.events.register("before-parameter-build.s3.CreateBucket", read)
    world.s3.meta.events.register("after-call.s3.CreateBucket", tag)


def census(world: World) -> dict[str, int]:
    """How many there are of everything that a build makes, whatever its tags; instances with those that have ended."""
    ec2, iam, elbv2 = world.ec2, world.iam, world.elbv2
    instances = [one for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    found = {
        "instances ever": len(instances),
        "instances": sum(each["State"]["Name"] != "terminated" for each in instances),
        "security groups": sum(each["GroupName"] != "default" for each in groups),
        "launch templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
        "load balancers": len(elbv2.describe_load_balancers()["LoadBalancers"]),
        "target groups": len(elbv2.describe_target_groups()["TargetGroups"]),
        "scaling groups": len(world.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]),
        "tables": len(world.dynamodb.list_tables()["TableNames"]),
        "buckets": len(world.s3.list_buckets()["Buckets"]),
        "roles": len(iam.list_roles()["Roles"]),
        "profiles": len(iam.list_instance_profiles()["InstanceProfiles"]),
        "policies": len(iam.list_policies(Scope="Local")["Policies"]),
    }
    return {name: count for name, count in found.items() if count}


def volumes(world: World) -> int:
    """The lab has none; moto makes them for instances that name an image with a disk."""
    return len(world.ec2.describe_volumes()["Volumes"])
