"""Instances as Auto Scaling launches and sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundschool.cloud.autoscaling.surroundings import InstanceView, LaunchRequest, TemplateVersion
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instances import Instances, launch_template_of
from groundschool.cloud.ec2.launch import launch_plan
from groundschool.cloud.passive.network_records import NetworkRecords

GROUP_NAME_TAG = "aws:autoscaling:groupName"


class AutoScalingFleet:
    """Implements Auto Scaling's ``Fleet``. Called under the lab's lock only."""

    def __init__(self, instances: Instances, network: NetworkRecords) -> None:
        self._instances = instances
        self._network = network

    def launch(self, request: LaunchRequest) -> str:
        params: dict[str, Any] = {
            **request.overrides,
            "LaunchTemplate": dict(request.launch_template),
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [
                        {"Key": key, "Value": value}
                        for key, value in {**request.tags, GROUP_NAME_TAG: request.group_name}.items()
                    ],
                }
            ],
        }
        template, version = launch_template_of(params, self._network)
        params |= placed(template, request.subnet_id)
        [instance] = self._instances.launch(launch_plan(params, template), version)
        return instance.instance_id

    def terminate(self, instance_id: str) -> None:
        instance = self._instances.find(instance_id)
        if instance is not None:
            self._instances.terminate(instance)

    def view(self, instance_id: str) -> InstanceView | None:
        instance = self._instances.find(instance_id)
        if instance is None:
            return None
        return InstanceView(
            instance_id=instance.instance_id,
            state=str(instance.state),
            instance_type=instance.instance_type,
            availability_zone=instance.subnet.availability_zone,
            subnet_id=instance.subnet.subnet_id,
            image_id=instance.image.image_id,
            launched_at=instance.launched_at,
        )

    def subnets(self, subnet_ids: tuple[str, ...]) -> dict[str, str]:
        return {each: self._network.subnet(each).availability_zone for each in subnet_ids}

    def template(self, launch_template: Mapping[str, str]) -> TemplateVersion:
        found = self._network.launch_template(launch_template)
        return TemplateVersion(found.template_id, found.name, str(found.version), found.created_at)

    def default_subnets(self, availability_zones: tuple[str, ...]) -> dict[str, str]:
        found = {
            subnet.subnet_id: subnet.availability_zone
            for subnet in self._network.default_subnets()
            if subnet.availability_zone in availability_zones
        }
        missing = set(availability_zones) - set(found.values())
        if missing:
            raise AwsError("ValidationError", f"Invalid availability zone(s): {', '.join(sorted(missing))}")
        return found


def placed(template: Mapping[str, Any], subnet_id: str) -> dict[str, Any]:
    """The group's choice of a subnet as RunInstances takes it: in the template's network interface when it has one."""
    interfaces = template.get("NetworkInterfaces")
    if not interfaces:
        return {"SubnetId": subnet_id}
    return {"NetworkInterfaces": [{**each, "SubnetId": subnet_id} for each in interfaces]}
