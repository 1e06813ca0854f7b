"""What moto remembers of VPCs, security groups, images and launch templates, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.passive.application import Passive


@dataclass(frozen=True)
class Subnet:
    subnet_id: str
    vpc_id: str
    availability_zone: str
    default_for_az: bool
    maps_public_ip: bool


@dataclass(frozen=True)
class IngressRule:
    """One source of one permission: a CIDR or a security group, never both."""

    protocol: str
    """``tcp``, ``udp``, ``icmp`` or ``-1`` (everything)."""
    from_port: int
    to_port: int
    cidr: str | None = None
    group_id: str | None = None


@dataclass(frozen=True)
class SecurityGroup:
    group_id: str
    name: str
    vpc_id: str
    ingress: tuple[IngressRule, ...]
    is_default: bool = False
    """The VPC's own group, used where none is named."""


@dataclass(frozen=True)
class LaunchTemplateVersion:
    template_id: str
    name: str
    version: int
    created_at: datetime
    data: Mapping[str, Any]
    """AWS's RequestLaunchTemplateData, as it was given."""


@dataclass(frozen=True)
class Image:
    image_id: str
    name: str
    architecture: str
    root_device_name: str


class NetworkRecords:
    """Reads moto's EC2 and SSM backends of one region. Raises AwsError with EC2's own codes for what is not there."""

    def __init__(self, passive: Passive, account_id: str, region: str) -> None:
        self._passive = passive
        self._account_id = account_id
        self._region = region

    @property
    def _ec2(self) -> Any:
        return get_backend("ec2")[self._account_id][self._region]

    def subnet(self, subnet_id: str) -> Subnet:
        with self._passive.lock, as_aws_error():
            return _subnet(self._ec2.get_subnet(subnet_id))

    def subnets(self) -> list[Subnet]:
        with self._passive.lock:
            return [_subnet(subnet) for by_zone in self._ec2.subnets.values() for subnet in by_zone.values()]

    def default_subnets(self) -> list[Subnet]:
        """The default VPC's subnets, ordered by availability zone."""
        with self._passive.lock:
            found = [_subnet(subnet) for subnet in self._ec2.get_default_subnets().values()]
        return sorted(found, key=lambda subnet: subnet.availability_zone)

    def availability_zones(self) -> set[str]:
        with self._passive.lock:
            return {zone.name for zone in self._ec2.describe_availability_zones()}

    def security_group(self, group_id: str) -> SecurityGroup:
        with self._passive.lock:
            group = self._ec2.get_security_group_from_id(group_id)
            if group is None:
                raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            return _security_group(group)

    def security_group_named(self, name: str, vpc_id: str) -> SecurityGroup:
        with self._passive.lock:
            group = self._ec2.get_security_group_from_name(name, vpc_id)
            if group is None:
                raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in {vpc_id}")
            return _security_group(group)

    def security_groups(self) -> dict[str, SecurityGroup]:
        with self._passive.lock:
            groups = [group for of_vpc in self._ec2.groups.values() for group in of_vpc.values()]
            return {group.id: _security_group(group) for group in groups}

    def launch_template(self, specification: Mapping[str, Any]) -> LaunchTemplateVersion:
        """Resolves AWS's LaunchTemplateSpecification, ``$Latest`` and ``$Default`` included."""
        wanted = str(specification.get("Version") or "$Default")
        if wanted not in ("$Latest", "$Default") and not wanted.isdecimal():
            raise AwsError("InvalidLaunchTemplateId.VersionNotFound", f"Invalid launch template version: {wanted}")
        with self._passive.lock, as_aws_error():
            try:
                version = self._ec2._get_template_from_args(
                    {name: text for name, text in specification.items() if text is not None}
                )
            except LookupError:  # moto takes the first of what it found
                raise _no_such_template(specification) from None
            if version is None:
                raise AwsError(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    f"Could not find the specified version {specification.get('Version')} for the launch template",
                )
            template, created_at = version.template, version.create_time
            if created_at.tzinfo is None:
                created_at = created_at.replace(tzinfo=UTC)
            data = plain_template_data(version.data)
            return LaunchTemplateVersion(template.id, template.name, version.number, created_at, data)

    def image(self, image_id: str) -> Image:
        """``resolve:ssm:<parameter>`` is resolved first, as RunInstances and launch templates do."""
        with self._passive.lock:
            if image_id.startswith("resolve:ssm:"):
                image_id = self._parameter(image_id.removeprefix("resolve:ssm:"))
            found = self._ec2.amis.get(image_id)
            if found is None:
                raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
            if found.state != "available":
                raise AwsError("InvalidAMIID.Unavailable", f"The image ID '[{image_id}]' is not available")
            return Image(found.id, found.name or "", found.architecture or "x86_64", found.root_device_name)

    def tags(self, resource_id: str) -> dict[str, str]:
        with self._passive.lock:
            return {str(key): str(value) for key, value in self._ec2.tags.get(resource_id, {}).items()}

    def _parameter(self, name: str) -> str:
        parameter = get_backend("ssm")[self._account_id][self._region].get_parameter(name.partition(":")[0])
        if parameter is None:
            raise AwsError("InvalidParameterValue", f"The SSM parameter {name} does not exist in {self._region}")
        return str(parameter.value)


@contextmanager
def as_aws_error() -> Iterator[None]:
    try:
        yield
    except ServiceException as error:
        raise AwsError(error.code, error.message) from error
    except EC2ClientError as error:
        raise AwsError(error.error_type, error.message) from error


def _no_such_template(specification: Mapping[str, Any]) -> AwsError:
    template_id, name = specification.get("LaunchTemplateId"), specification.get("LaunchTemplateName")
    if template_id:
        message = f"The specified launch template, with template ID {template_id}, does not exist."
        return AwsError("InvalidLaunchTemplateId.NotFound", message)
    if name:
        message = f"The specified launch template, with template name {name}, does not exist."
        return AwsError("InvalidLaunchTemplateName.NotFoundException", message)
    return AwsError("MissingParameter", "Either the launch template ID or the launch template name must be given")


def plain_template_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """moto wraps user data in a type of its own; everybody else knows it as base64 text."""
    return {name: str(value) if name == "UserData" else value for name, value in data.items()}


def _subnet(subnet: Any) -> Subnet:
    return Subnet(
        subnet.id,
        subnet.vpc_id,
        subnet.availability_zone,
        subnet.default_for_az in (True, "true"),
        subnet.map_public_ip_on_launch in (True, "true"),
    )


def _security_group(group: Any) -> SecurityGroup:
    rules = tuple(rule for permission in group.ingress_rules for rule in _rules(permission))
    return SecurityGroup(group.id, group.name, group.vpc_id, rules, bool(group.is_default))


def _rules(permission: Any) -> Iterator[IngressRule]:
    protocol = str(permission.ip_protocol)
    from_port = 0 if permission.from_port is None else int(permission.from_port)
    to_port = 65535 if permission.to_port is None else int(permission.to_port)
    if (
        protocol == "-1"
    ):  # all traffic, whatever ports come with it (AWS: AuthorizeSecurityGroupIngress; tools send 0 to 0)
        from_port, to_port = 0, 65535
    if permission.cidr_ipv4:
        yield IngressRule(protocol, from_port, to_port, cidr=permission.cidr_ipv4)
    if permission.source_group:
        yield IngressRule(protocol, from_port, to_port, group_id=permission.source_group.get("GroupId"))
