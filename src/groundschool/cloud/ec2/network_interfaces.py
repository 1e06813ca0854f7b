"""DescribeNetworkInterfaces: every instance has one, made and removed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.describe import interface_document
from groundschool.cloud.ec2.filters import matches
from groundschool.cloud.ec2.instance import Instance
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.ec2.pages import page
from groundschool.cloud.passive.network_records import NetworkRecords

_FILTERS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "attachment.instance-id": lambda row: [row["Attachment"]["InstanceId"]],
    "attachment.instance-owner-id": lambda row: [row["OwnerId"]],
    "availability-zone": lambda row: [row["AvailabilityZone"]],
    "description": lambda row: [row["Description"]],
    "group-id": lambda row: [group["GroupId"] for group in row["Groups"]],
    "network-interface-id": lambda row: [row["NetworkInterfaceId"]],
    "owner-id": lambda row: [row["OwnerId"]],
    "private-ip-address": lambda row: [row["PrivateIpAddress"]],
    "addresses.private-ip-address": lambda row: [row["PrivateIpAddress"]],
    "status": lambda row: [row["Status"]],
    "subnet-id": lambda row: [row["SubnetId"]],
    "vpc-id": lambda row: [row["VpcId"]],
}


class NetworkInterfaces:
    def __init__(self, instances: Instances, network: NetworkRecords, clock: Clock) -> None:
        self._instances = instances
        self._network = network
        self._clock = clock

    def describe_network_interfaces(self, call: Call, params: Params) -> Result:
        groups = self._network.security_groups()
        rows = []
        for instance in self._instances.live():
            launched = self._clock.wall_time(instance.launched_at)
            rows.append(_row(instance, interface_document(instance, launched, groups, call.account_id)))
        for each in params.get("Filters") or ():
            values = _FILTERS.get(each.get("Name", ""))
            if values is None:
                raise AwsError("InvalidParameterValue", f"The filter '{each.get('Name')}' is invalid")
            rows = [row for row in rows if matches(values(row), each.get("Values") or ())]
        rows = _named(rows, params.get("NetworkInterfaceIds") or [])
        shown, token = page(rows, params, lambda row: str(row["NetworkInterfaceId"]))
        return {"NetworkInterfaces": shown, "NextToken": token}


def _named(rows: list[dict[str, Any]], wanted: list[str]) -> list[dict[str, Any]]:
    known = {row["NetworkInterfaceId"] for row in rows}
    for interface_id in wanted:
        if interface_id not in known:
            raise AwsError(
                "InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface_id}' does not exist"
            )
    return [row for row in rows if not wanted or row["NetworkInterfaceId"] in wanted]


def _row(instance: Instance, document: dict[str, Any]) -> dict[str, Any]:
    holder = {"InstanceId": instance.instance_id, "InstanceOwnerId": document["OwnerId"]}
    return {
        **document,
        "Description": "",
        "AvailabilityZone": instance.subnet.availability_zone,
        "Attachment": document["Attachment"] | holder,
    }
