"""What can be read and changed of one instance: attributes, CPU credits, the groups of its network interface."""

from __future__ import annotations

import base64
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.compute.instance_type import INSTANCE_TYPES
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.ec2.launch import USER_DATA_LIMIT
from groundschool.cloud.passive.network_records import NetworkRecords

_SWITCHES = {"DisableApiTermination": "disable_api_termination", "DisableApiStop": "disable_api_stop"}
_FIXED = {"SourceDestCheck": True, "EbsOptimized": False, "EnaSupport": True}
"""Nothing in the lab routes, and nothing has a disk: these are what they are."""
_CREDITS = ("standard", "unlimited")


class InstanceAttributes:
    """AWS: one attribute a call."""

    def __init__(self, instances: Instances, network: NetworkRecords) -> None:
        self._instances = instances
        self._network = network

    def describe_instance_attribute(self, call: Call, params: Params) -> Result:
        instance = self._instances.get(params["InstanceId"])
        attribute = params["Attribute"]
        name = attribute[0].upper() + attribute[1:]
        values: dict[str, Any] = {
            "InstanceType": {"Value": instance.instance_type},
            "DisableApiTermination": {"Value": instance.disable_api_termination},
            "DisableApiStop": {"Value": instance.disable_api_stop},
            "InstanceInitiatedShutdownBehavior": {
                "Value": "terminate" if instance.terminates_on_shutdown else "stop",
            },
            "RootDeviceName": {"Value": instance.image.root_device_name},
            "GroupSet": [{"GroupId": group_id} for group_id in instance.security_group_ids],
            "UserData": {"Value": base64.b64encode(instance.user_data).decode() if instance.user_data else None},
            "BlockDeviceMapping": [],
            "ProductCodes": [],
            "Kernel": {},
            "Ramdisk": {},
            "SriovNetSupport": {},
            "EnclaveOptions": {"Enabled": False},
            **{fixed: {"Value": value} for fixed, value in _FIXED.items()},
        }
        if name not in values:
            raise AwsError("InvalidParameterValue", f"Value ({attribute}) for parameter attribute is invalid.")
        shown = {"GroupSet": "Groups", "BlockDeviceMapping": "BlockDeviceMappings"}.get(name, name)
        ramdisk = {"Kernel": "KernelId", "Ramdisk": "RamdiskId"}
        return {"InstanceId": instance.instance_id, ramdisk.get(shown, shown): values[name]}

    def modify_instance_attribute(self, call: Call, params: Params) -> Result:
        instance = self._instances.get(params["InstanceId"])
        given = {name: value for name, value in params.items() if name not in ("InstanceId", "DryRun")}
        if "Attribute" in given:  # the older way to say it
            attribute = str(given["Attribute"])
            given = {attribute[0].upper() + attribute[1:]: {"Value": given.get("Value")}}
        if len(given) != 1:
            raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
        [(name, value)] = given.items()
        self._modify(instance, name, value if name == "Groups" else value.get("Value"))
        return {}

    def _modify(self, instance: Instance, name: str, value: Any) -> None:
        if name == "Groups":
            self._set_groups(instance, value)
        elif name in _SWITCHES:
            setattr(instance, _SWITCHES[name], _true(value))
        elif name == "InstanceInitiatedShutdownBehavior":
            instance.terminates_on_shutdown = value == "terminate"
        elif name == "InstanceType":
            self._resize(instance, value)
        elif name == "UserData":
            self._set_user_data(instance, value)
        elif name not in _FIXED or _true(value) != _FIXED[name]:
            raise AwsError("Unsupported", f"The lab cannot change {name} of an instance to {value}.")

    def describe_instance_credit_specifications(self, call: Call, params: Params) -> Result:
        """What was asked for; the lab's quota is hard and knows no credits."""
        found = self._instances.select(params.get("InstanceIds") or [])
        return {
            "InstanceCreditSpecifications": [
                {"InstanceId": instance.instance_id, "CpuCredits": instance.cpu_credits}
                for instance in found
                if instance.state is not State.TERMINATED
            ]
        }

    def modify_instance_credit_specification(self, call: Call, params: Params) -> Result:
        done = []
        for each in params["InstanceCreditSpecifications"]:
            if each.get("CpuCredits") not in _CREDITS:
                raise AwsError("InvalidParameterValue", f"CpuCredits must be one of {', '.join(_CREDITS)}")
            self._instances.get(each["InstanceId"]).cpu_credits = each["CpuCredits"]
            done.append({"InstanceId": each["InstanceId"]})
        return {"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": []}

    def modify_network_interface_attribute(self, call: Call, params: Params) -> Result:
        interface_id = params["NetworkInterfaceId"]
        for instance in self._instances.live():
            if instance.interface_id == interface_id:
                if not params.get("Groups"):
                    raise AwsError("Unsupported", "The lab changes Groups of a network interface only.")
                self._set_groups(instance, params["Groups"])
                return {}
        raise AwsError("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface_id}' does not exist")

    def _set_groups(self, instance: Instance, group_ids: list[str]) -> None:
        groups = [self._network.security_group(group_id) for group_id in group_ids]
        instance.security_group_ids = tuple(group.group_id for group in groups)

    def _resize(self, instance: Instance, instance_type: str) -> None:
        _require_stopped(instance)
        if instance_type not in INSTANCE_TYPES:
            raise AwsError("InvalidInstanceAttributeValue", f"The lab has: {', '.join(sorted(INSTANCE_TYPES))}")
        self._instances.resize(instance, instance_type)

    def _set_user_data(self, instance: Instance, data: bytes | str | None) -> None:
        """AWS: it is shown and does not run again: only the first boot runs it."""
        _require_stopped(instance)
        text = data.encode() if isinstance(data, str) else data or b""
        if len(text) > USER_DATA_LIMIT:
            raise AwsError("InvalidParameterValue", "User data is limited to 16384 bytes")
        instance.user_data = text


def _require_stopped(instance: Instance) -> None:
    if instance.state is not State.STOPPED:
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance.instance_id}' is not in the 'stopped' state."
        )


def _true(value: object) -> bool:
    return str(value).lower() == "true"
