"""What the lab answers itself: the operations of what is alive, by service. moto answers the rest of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool.cloud.autoscaling.operations import AutoScalingOperations
from groundschool.cloud.ec2.image_operations import ImageOperations
from groundschool.cloud.ec2.instance_attributes import InstanceAttributes
from groundschool.cloud.ec2.launch_templates import LaunchTemplateOperations
from groundschool.cloud.ec2.network_interfaces import NetworkInterfaces
from groundschool.cloud.ec2.operations import InstanceOperations
from groundschool.cloud.ec2.profile_associations import ProfileAssociations
from groundschool.cloud.ec2.tags import TagOperations
from groundschool.cloud.ec2.volumes import Volumes
from groundschool.cloud.identity.operations import CallerIdentity
from groundschool.cloud.load_balancing.operations import TargetOperations
from groundschool.cloud.passive.tag_records import TagRecords
from groundschool.cloud.passive.tagged_records import TaggedRecords
from groundschool.cloud.systems_manager.operations import CommandOperations
from groundschool.cloud.tagging.living import LivingResources
from groundschool.cloud.tagging.operations import TaggingOperations
from groundschool.cloud.tagging.tables import TableTags

if TYPE_CHECKING:
    from groundschool.cloud.supervisor.lab import Lab


def living_services(lab: Lab) -> dict[str, list[object]]:
    """Service as botocore names it -> objects whose methods are its operations."""
    return {
        "ec2": [
            InstanceOperations(lab.instances, lab.network, lab.clock),
            InstanceAttributes(lab.instances, lab.network),
            Volumes(),
            ImageOperations(lab.images),
            LaunchTemplateOperations(lab.launch_templates),
            NetworkInterfaces(lab.instances, lab.network, lab.clock),
            ProfileAssociations(lab.instances, lab.identity, lab.clock),
            TagOperations(lab.instances, TagRecords(lab.passive, lab.settings.account_id)),
        ],
        "elbv2": [TargetOperations(lab.registry)],
        "autoscaling": [AutoScalingOperations(lab.autoscaling)],
        "cloudwatch": [lab.cloudwatch],
        "ssm": [CommandOperations(lab.instances, lab.identity, lab.clock)],
        "sts": [CallerIdentity(lab.authoriser)],
        "resourcegroupstaggingapi": [_tagging(lab)],
    }


def _tagging(lab: Lab) -> TaggingOperations:
    region, account_id = lab.settings.region, lab.settings.account_id
    tables = TableTags(lab.store_switch.ask, region, account_id)
    living = LivingResources(region, account_id, lab.instances, lab.cloudwatch.tags_by_alarm, tables.by_arn)
    return TaggingOperations([living, TaggedRecords(lab.passive, account_id)])
