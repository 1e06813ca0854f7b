"""Launch one instance for a group, and say in an activity how it went."""

from __future__ import annotations

import logging

from groundschool.cloud.autoscaling.activity import Status
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.member import LaunchedFor, Member
from groundschool.cloud.autoscaling.surroundings import LaunchRequest, Surroundings
from groundschool.cloud.aws_error import AwsError

_log = logging.getLogger(__name__)

ZONE_AVOIDED = 300.0
"""Lab seconds during which launches avoid a zone that had no capacity. AWS does not publish its own."""
NO_CAPACITY = "InsufficientInstanceCapacity"


def zones_with_capacity(group: Group, now: float) -> tuple[str, ...]:
    """The group's zones without those that lately had no capacity; all of them when none had."""
    return _free_zones(group, now) or group.settings.availability_zones


def _free_zones(group: Group, now: float) -> tuple[str, ...]:
    zones = group.settings.availability_zones
    return tuple(zone for zone in zones if group.zones_without_capacity.get(zone, now) <= now)


def launch(
    lab: Surroundings,
    group: Group,
    zone: str,
    why: LaunchedFor,
    cause: str,
    now: float,
    policy: str | None = None,
) -> bool:
    """False when it failed: then there is a Failed activity, and launches wait for the backoff or avoid the zone."""
    subnet = _subnet_in(group, zone)
    details = {"Subnet ID": subnet, "Availability Zone": zone}
    try:
        member = _start(lab, group, subnet, why, now)
    except AwsError as error:
        _fail(group, zone, error, cause, details, now)
        return False
    except Exception as error:
        # Of the machine below the lab, or a defect of ours: the log has its trace, the learner an activity.
        _log.exception("a launch for group %s failed", group.name)
        failure = AwsError("InternalError", f"We encountered an internal error ({type(error).__name__}: {error}).")
        _fail(group, zone, failure, cause, details, now)
        return False
    member.launched_by_policy = policy
    member.activity = group.start_activity(
        f"Launching a new EC2 instance: {member.instance_id}", cause, Status.PRE_IN_SERVICE, now, details
    )
    group.members[member.instance_id] = member
    return True


def _subnet_in(group: Group, zone: str) -> str:
    """One subnet of the zone; always the same one, as every instance of a zone is equally far from the others."""
    return min(subnet for subnet, its_zone in group.settings.subnets.items() if its_zone == zone)


def _start(lab: Surroundings, group: Group, subnet: str, why: LaunchedFor, now: float) -> Member:
    settings = group.settings
    if not all(lab.targets.exists(arn) for arn in group.target_groups):
        message = "One or more target groups not found. Validating load balancer configuration failed."
        raise AwsError("ValidationError", message)
    template = lab.fleet.template(settings.template_specification)
    instance_id = lab.fleet.launch(
        LaunchRequest(
            group.name,
            {"LaunchTemplateId": template.launch_template_id, "Version": template.version},
            settings.overrides,
            subnet,
            {tag.key: tag.value for tag in group.tags.values() if tag.propagates},
        )
    )
    view = lab.fleet.view(instance_id)
    assert view is not None, f"{instance_id} was just launched"
    return Member(
        instance_id,
        view.instance_type,
        view.availability_zone,
        view.image_id,
        template,
        launched_at=now,
        launched_for=why,
        protected=settings.new_instances_protected,
    )


def _fail(group: Group, zone: str, error: AwsError, cause: str, details: dict[str, str], now: float) -> None:
    message = f"{error.message.rstrip()} Launching EC2 instance failed."
    activity = group.start_activity(
        f"Launching a new EC2 instance.  Status Reason: {message}", cause, Status.FAILED, now, details
    )
    activity.end(Status.FAILED, now, message)
    if error.code == NO_CAPACITY:
        group.zones_without_capacity[zone] = now + ZONE_AVOIDED
    if error.code != NO_CAPACITY or not _free_zones(group, now):
        group.backoff = group.backoff.after_failure(now)
