"""The world a component is built in, as boto3 sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from groundschool.endpoint import is_loopback, locate
from groundschool.errors import BuildError, NotOwned
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.waiting import Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import SubnetTypeDef, TagSpecificationTypeDef
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

T = TypeVar("T")

EXPIRES_AT = "ExpiresAt"
STACK = "aws:cloudformation:stack-name"
"""The tag AWS itself puts on everything a CloudFormation stack makes."""

CLIENT = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class World:
    """Clients, names and places. Which world it is depends only on the session and the environment boto3 reads."""

    session: boto3.Session
    settings: WorkshopSettings

    @classmethod
    def from_environment(cls, settings: WorkshopSettings | None = None) -> World:
        """The world of boto3's own configuration; ``AWS_REGION`` (which boto3 does not read) names the region first."""
        chosen = settings or WorkshopSettings()
        region = os.environ.get("AWS_REGION") or boto3.Session().region_name or chosen.default_region
        return cls(boto3.Session(region_name=region), chosen)

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        return self.session.client("autoscaling", config=CLIENT)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", config=CLIENT)

    @cached_property
    def ec2(self) -> EC2Client:
        return self.session.client("ec2", config=CLIENT)

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        return self.session.client("elbv2", config=CLIENT)

    @cached_property
    def iam(self) -> IAMClient:
        return self.session.client("iam", config=CLIENT)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", config=CLIENT)

    @cached_property
    def ssm(self) -> SSMClient:
        return self.session.client("ssm", config=CLIENT)

    @cached_property
    def sts(self) -> STSClient:
        return self.session.client("sts", config=CLIENT)

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        return self.session.client("resourcegroupstaggingapi", config=CLIENT)

    @property
    def region(self) -> str:
        return str(self.session.region_name)

    @cached_property
    def account(self) -> str:
        return self.sts.get_caller_identity()["Account"]

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the API, and so the instances behind it, are on this machine: then they run its own Python.

        The one question of where we are: a compiled file is either for here or for there.
        """
        return is_loopback(locate(self.ec2.meta.endpoint_url).connect_host)

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def iam_name(self) -> str:
        """IAM is global: the region in the name keeps two builds of one account apart."""
        return f"{self.name}-{self.region}"

    @property
    def table_arn(self) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{self.settings.table_name}"

    @property
    def release_bucket(self) -> str:
        """Bucket names are global: account and region make it the account's own."""
        return f"{self.name}-releases-{self.account}-{self.region}"

    def tags(self, name: str) -> dict[str, str]:
        expiry = {EXPIRES_AT: self.settings.expires_at} if self.settings.expires_at else {}
        return {"Name": name, "Project": self.settings.project, **expiry}

    def tag_list(self, name: str) -> list[Any]:
        """:meth:`tags` in the shape most services take (each has a type of its own for it)."""
        return [{"Key": key, "Value": value} for key, value in self.tags(name).items()]

    def tag_specification(self, kind: ResourceTypeType, name: str) -> list[TagSpecificationTypeDef]:
        """:meth:`tags` in EC2's shape, for one kind of resource."""
        return [{"ResourceType": kind, "Tags": self.tag_list(name)}]

    def must_own(self, what: str, tags: Mapping[str, str]) -> None:
        """NotOwned unless the tags say that ``what`` belongs to the workshop: nothing else is ever removed."""
        project = self.settings.project
        if tags.get("Project") != project:
            raise NotOwned(
                f"There is a {what}, but without the tag Project={project}: it was not made here, so it is not "
                f"removed here. Tag it so, or remove it by hand"
            )
        if stack := tags.get(STACK):
            raise NotOwned(
                f"The {what} belongs to the CloudFormation stack {stack}. "
                f"Remove it with: aws cloudformation delete-stack --stack-name {stack}"
            )

    @cached_property
    def vpc_id(self) -> str:
        """The region's default VPC."""
        vpcs = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not vpcs:
            raise BuildError(f"{self.region} has no default VPC. Make one: aws ec2 create-default-vpc")
        return vpcs[0]["VpcId"]

    @cached_property
    def subnet_ids(self) -> tuple[str, ...]:
        """One default subnet in each of the first ``settings.availability_zones`` zones, by zone name."""
        found = self.ec2.describe_subnets(
            Filters=[{"Name": "vpc-id", "Values": [self.vpc_id]}, {"Name": "default-for-az", "Values": ["true"]}]
        )["Subnets"]
        return choose_subnets(found, self.settings.availability_zones, self.region)

    def wait(self, what: str, ready: Callable[[], T | None]) -> T:
        """Looks until ``ready`` returns something; see :func:`~groundschool.workshop.waiting.wait_for`."""
        chosen = self.settings
        return wait_for(what, ready, Wait(chosen.build_timeout, chosen.poll_shortest, chosen.poll_longest))


def tag_map(tags: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """AWS's list of Key and Value as a dict; Auto Scaling's further fields are left out."""
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def choose_subnets(subnets: list[SubnetTypeDef], zones: int, region: str) -> tuple[str, ...]:
    """Pure. One subnet per zone in the order of zone names; fewer zones than asked for is a BuildError."""
    by_zone = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in subnets}
    if len(by_zone) < zones:
        raise BuildError(
            f"The default VPC of {region} has default subnets in {len(by_zone)} availability zone(s), and {zones} are "
            f"needed. Make the missing ones: aws ec2 create-default-subnet --availability-zone {region}b"
        )
    return tuple(by_zone[zone] for zone in sorted(by_zone)[:zones])
