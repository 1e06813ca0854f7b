"""Instances in the shapes of EC2's answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.passive.network_records import SecurityGroup


def instance_document(
    instance: Instance, wall_time: Callable[[float], datetime], groups: dict[str, SecurityGroup], account_id: str
) -> dict[str, Any]:
    """``wall_time`` gives the real time of lab seconds; ``groups`` are those the instance is in, by id."""
    gone = instance.state is State.TERMINATED
    launched = wall_time(instance.launched_at)
    document: dict[str, Any] = {
        "InstanceId": instance.instance_id,
        "ImageId": instance.image.image_id,
        "State": instance.state_document(),
        "PrivateDnsName": "" if gone else _private_name(instance),
        "PublicDnsName": instance.address if instance.public else "",
        "StateTransitionReason": _transition_reason(instance, wall_time),
        "KeyName": instance.key_name,
        "AmiLaunchIndex": instance.launch_index,
        "ProductCodes": [],
        "InstanceType": instance.instance_type,
        "LaunchTime": launched,
        "Placement": {
            "AvailabilityZone": instance.subnet.availability_zone,
            "GroupName": "",
            "Tenancy": "default",
        },
        "Monitoring": {"State": "enabled" if instance.detailed_monitoring else "disabled"},
        "Architecture": instance.image.architecture,
        "RootDeviceName": instance.image.root_device_name,
        "RootDeviceType": "ebs",
        "VirtualizationType": "hvm",
        "Hypervisor": "xen",
        "EbsOptimized": False,
        "EnaSupport": True,
        "ClientToken": instance.client_token or "",
        "BlockDeviceMappings": [],
        "SecurityGroups": [] if gone else _group_identifiers(instance, groups),
        "MetadataOptions": {
            "State": "applied",
            "HttpTokens": instance.metadata.http_tokens,
            "HttpEndpoint": instance.metadata.http_endpoint,
            "HttpPutResponseHopLimit": instance.metadata.hop_limit,
        },
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(instance.tags.items())],
    }
    if instance.profile:
        document["IamInstanceProfile"] = {"Arn": instance.profile.arn, "Id": instance.profile.profile_id}
    if instance.state_reason:
        document["StateReason"] = {"Code": instance.state_reason.code, "Message": instance.state_reason.message}
    if not gone:
        document |= {
            "VpcId": instance.subnet.vpc_id,
            "SubnetId": instance.subnet.subnet_id,
            "PrivateIpAddress": instance.address,
            "PublicIpAddress": instance.address if instance.public else None,
            "SourceDestCheck": True,
            "NetworkInterfaces": [interface_document(instance, launched, groups, account_id)],
        }
    return document


def reservations(
    instances: Iterable[Instance], documents: dict[str, dict[str, Any]], account_id: str
) -> list[dict[str, Any]]:
    """Groups by reservation, in launch order."""
    found: dict[str, dict[str, Any]] = {}
    for instance in instances:
        reservation = found.setdefault(
            instance.reservation_id,
            {"ReservationId": instance.reservation_id, "OwnerId": account_id, "Groups": [], "Instances": []},
        )
        reservation["Instances"].append(documents[instance.instance_id])
    return list(found.values())


def status_document(instance: Instance) -> dict[str, Any]:
    """One row of DescribeInstanceStatus. The checks pass while the instance's own processes run."""
    if instance.state is not State.RUNNING:
        check: dict[str, Any] = {"Status": "not-applicable"}
    elif instance.machine.alive() and not instance.machine.hung:
        check = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
    else:
        check = {"Status": "impaired", "Details": [{"Name": "reachability", "Status": "failed"}]}
    return {
        "InstanceId": instance.instance_id,
        "AvailabilityZone": instance.subnet.availability_zone,
        "InstanceState": instance.state_document(),
        "InstanceStatus": check,
        "SystemStatus": check,
    }


def interface_document(
    instance: Instance, launched: datetime, groups: dict[str, SecurityGroup], account_id: str
) -> dict[str, Any]:
    """The instance's one network interface, as DescribeInstances shows it."""
    document: dict[str, Any] = {
        "NetworkInterfaceId": instance.interface_id,
        "OwnerId": account_id,
        "VpcId": instance.subnet.vpc_id,
        "SubnetId": instance.subnet.subnet_id,
        "PrivateIpAddress": instance.address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": instance.address}],
        "SourceDestCheck": True,
        "InterfaceType": "interface",
        "Status": "in-use",
        "Attachment": {
            "AttachmentId": f"eni-attach-{instance.instance_id.removeprefix('i-')}",
            "DeviceIndex": 0,
            "AttachTime": launched,
            "DeleteOnTermination": True,
            "Status": "attached",
        },
        "Groups": _group_identifiers(instance, groups),
    }
    if instance.public:
        document["Association"] = {"PublicIp": instance.address, "PublicDnsName": instance.address}
    return document


def _transition_reason(instance: Instance, wall_time: Callable[[float], datetime]) -> str:
    """AWS: ``User initiated (2026-11-22 12:00:00 GMT)``."""
    if not instance.state_transition_reason:
        return ""
    return f"{instance.state_transition_reason} ({wall_time(instance.asked_to_end_at):%Y-%m-%d %H:%M:%S} GMT)"


def _group_identifiers(instance: Instance, groups: dict[str, SecurityGroup]) -> list[dict[str, str]]:
    return [
        {"GroupId": group_id, "GroupName": groups[group_id].name if group_id in groups else ""}
        for group_id in instance.security_group_ids
    ]


def _private_name(instance: Instance) -> str:
    """AWS: EC2 user guide, instance hostname types: the oldest region has a domain without its name."""
    region = instance.subnet.availability_zone[:-1]
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{instance.address.replace('.', '-')}.{domain}"
