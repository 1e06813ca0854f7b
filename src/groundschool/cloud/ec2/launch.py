"""From the parameters of RunInstances, over those of its launch template, to what is to be launched. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.compute.instance_type import INSTANCE_TYPES
from groundschool.cloud.ec2.instance import MetadataOptions
from groundschool.cloud.ec2.supported_parameters import refuse_what_would_be_ignored
from groundschool.cloud.ec2.tag_specification import tags_for

USER_DATA_LIMIT = 16 * 1024
"""Bytes, before base64 (AWS: EC2 user guide, instance user data)."""


@dataclass(frozen=True)
class LaunchPlan:
    """One RunInstances request, complete and valid in form; names are not yet looked up."""

    image_id: str
    instance_type: str
    subnet_id: str | None
    availability_zone: str | None
    security_group_ids: tuple[str, ...]
    security_group_names: tuple[str, ...]
    profile_name: str | None
    profile_arn: str | None
    key_name: str | None
    user_data: bytes | None
    metadata: MetadataOptions
    detailed_monitoring: bool
    disable_api_termination: bool
    disable_api_stop: bool
    terminates_on_shutdown: bool
    cpu_credits: str
    public_address: bool | None
    """None: as the subnet has it."""
    tags: Mapping[str, str]
    count: int
    client_token: str | None


def launch_plan(params: Mapping[str, Any], template: Mapping[str, Any]) -> LaunchPlan:
    """``template`` is empty when none is used; a parameter of the request wins over the template's (AWS: RunInstances).

    Raises AwsError MissingParameter, InvalidParameterValue, InvalidUserData.Malformed, InvalidParameterCombination,
    Unsupported.
    """
    given = {**template, **{name: value for name, value in params.items() if value is not None}}
    refuse_what_would_be_ignored(given)
    interface = _single_interface(given)
    profile = given.get("IamInstanceProfile") or {}
    placement = given.get("Placement") or {}
    if not given.get("ImageId"):
        raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
    return LaunchPlan(
        image_id=given["ImageId"],
        instance_type=_instance_type(given.get("InstanceType")),
        subnet_id=given.get("SubnetId") or interface.get("SubnetId"),
        availability_zone=placement.get("AvailabilityZone"),
        security_group_ids=tuple(given.get("SecurityGroupIds") or interface.get("Groups") or ()),
        security_group_names=tuple(given.get("SecurityGroups") or ()),
        profile_name=profile.get("Name"),
        profile_arn=profile.get("Arn"),
        key_name=given.get("KeyName"),
        user_data=_user_data(given.get("UserData")),
        metadata=_metadata(given.get("MetadataOptions") or {}),
        detailed_monitoring=_true((given.get("Monitoring") or {}).get("Enabled")),
        disable_api_termination=_true(given.get("DisableApiTermination")),
        disable_api_stop=_true(given.get("DisableApiStop")),
        terminates_on_shutdown=given.get("InstanceInitiatedShutdownBehavior") == "terminate",
        cpu_credits=(given.get("CreditSpecification") or {}).get("CpuCredits") or "unlimited",
        public_address=_public_address(interface),
        tags={**tags_for("instance", template), **tags_for("instance", params)},
        count=_count(params),
        client_token=params.get("ClientToken"),
    )


def _count(params: Mapping[str, Any]) -> int:
    least, most = int(params.get("MinCount", 1)), int(params.get("MaxCount", 1))
    if least < 1:
        raise AwsError("InvalidParameterValue", f"Value ({least}) for parameter minCount is invalid.")
    if most < least:
        raise AwsError("InvalidParameterValue", f"Value ({most}) for parameter maxCount is invalid.")
    return most


def _instance_type(name: str | None) -> str:
    name = name or "t3.micro"
    if name not in INSTANCE_TYPES:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid value '{name}' for InstanceType. The lab has: {', '.join(sorted(INSTANCE_TYPES))}",
        )
    return name


def _user_data(encoded: str | None) -> bytes | None:
    """Lines of base64 are fine, a script that was never encoded is not: half of it would decode to nonsense."""
    if not encoded:
        return None
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from error
    if len(data) > USER_DATA_LIMIT:
        raise AwsError("InvalidParameterValue", "User data is limited to 16384 bytes")
    return data


def _metadata(options: Mapping[str, Any]) -> MetadataOptions:
    return changed_metadata(MetadataOptions(), options)


def changed_metadata(now: MetadataOptions, options: Mapping[str, Any]) -> MetadataOptions:
    """``now`` with what ``options`` give. Raises AwsError InvalidParameterValue: a typo must not open IMDSv1."""
    hop_limit = options.get("HttpPutResponseHopLimit")
    changed = MetadataOptions(
        http_tokens=options.get("HttpTokens") or now.http_tokens,
        http_endpoint=options.get("HttpEndpoint") or now.http_endpoint,
        hop_limit=now.hop_limit if hop_limit is None else int(hop_limit),
    )
    for name, value, valid in (
        ("HttpTokens", changed.http_tokens, ("optional", "required")),
        ("HttpEndpoint", changed.http_endpoint, ("enabled", "disabled")),
        ("HttpPutResponseHopLimit", changed.hop_limit, range(1, 65)),
    ):
        if value not in valid:
            raise AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
    return changed


def _single_interface(given: Mapping[str, Any]) -> Mapping[str, Any]:
    interfaces = given.get("NetworkInterfaces") or [{}]
    if len(interfaces) > 1:
        raise AwsError("InvalidParameterCombination", "An instance of the lab has one network interface")
    first: Mapping[str, Any] = interfaces[0]
    if first and given.get("SubnetId"):
        raise AwsError(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID may not be specified on the same request",
        )
    if first and (given.get("SecurityGroupIds") or given.get("SecurityGroups")):
        raise AwsError(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level security groups may not be specified on the same request",
        )
    return first


def _public_address(interface: Mapping[str, Any]) -> bool | None:
    asked = interface.get("AssociatePublicIpAddress")
    return None if asked is None else _true(asked)


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"
