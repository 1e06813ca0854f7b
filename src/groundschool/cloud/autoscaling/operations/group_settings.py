"""Parsing and checking what a user sets on a group: ``CreateAutoScalingGroup`` and ``UpdateAutoScalingGroup``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from groundschool.cloud.autoscaling.operations.asking import invalid, unsupported
from groundschool.cloud.autoscaling.settings import Settings, Tag
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Params
from groundschool.controlloop.termination import TerminationPolicy

WITHOUT_MEANING = ("ServiceLinkedRoleARN", "SkipZonalShiftValidation")
"""Accepted: the lab's Auto Scaling needs no role, and shifts no zones."""
UNSUPPORTED = (
    "LaunchConfigurationName",
    "InstanceId",
    "LoadBalancerNames",
    "PlacementGroup",
    "MaxInstanceLifetime",
    "CapacityRebalance",
    "AvailabilityZoneIds",
    "AvailabilityZoneDistribution",
    "InstanceMaintenancePolicy",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "InstanceLifecyclePolicy",
    "DeletionProtection",
    "Operator",
    "Context",
)

_PLAIN = {
    "HealthCheckType": "health_check_type",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "DefaultCooldown": "default_cooldown",
    "DefaultInstanceWarmup": "default_instance_warmup",
    "NewInstancesProtectedFromScaleIn": "new_instances_protected",
}
_TEMPLATE_NEEDED = (
    "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy "
    "parameter."
)


def new_settings(lab: Surroundings, params: Params) -> Settings:
    """Raises AwsError with AWS's words for everything that AWS refuses at creation."""
    if not params.get("LaunchTemplate") and not params.get("MixedInstancesPolicy"):
        unsupported(params, UNSUPPORTED)
        raise invalid(_TEMPLATE_NEEDED)
    if not params.get("VPCZoneIdentifier") and not params.get("AvailabilityZones"):
        raise invalid("At least one Availability Zone or VPC Subnet is required.")
    blank = Settings(params["MinSize"], params["MaxSize"], launch_template={}, subnets={})
    return changed_settings(lab, blank, params)


def changed_settings(lab: Surroundings, settings: Settings, params: Params) -> Settings:
    """``settings`` with what ``params`` name; raises AwsError and changes nothing when AWS would refuse it."""
    unsupported(params, UNSUPPORTED)
    if params.get("DesiredCapacityType", "units") != "units":
        raise invalid(f"DesiredCapacityType {params['DesiredCapacityType']} is not supported by the lab: use units.")
    minimum, maximum = params.get("MinSize", settings.min_size), params.get("MaxSize", settings.max_size)
    check_bounds(minimum, maximum)
    plain: dict[str, Any] = {field: params[name] for name, field in _PLAIN.items() if name in params}
    _check_health(plain.get("health_check_type", "EC2"), plain.get("health_check_grace_period", 0))
    if plain.get("default_instance_warmup") == -1:
        plain["default_instance_warmup"] = None  # AWS: -1 takes the setting away again
    if params.get("TerminationPolicies"):
        plain["termination_policies"] = _termination_policies(params["TerminationPolicies"])
    return replace(
        settings, min_size=minimum, max_size=maximum, **plain, **_template(lab, params), **_placement(lab, params)
    )


def check_bounds(minimum: int, maximum: int) -> None:
    if minimum < 0 or maximum < 0:
        raise invalid("Min bound and max bound must be greater than or equal to 0.")
    if minimum > maximum:
        raise invalid(f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}")


def check_desired(desired: int, settings: Settings) -> None:
    if not settings.min_size <= desired <= settings.max_size:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{settings.min_size} "
            f"and max size:{settings.max_size}"
        )


def check_target_groups(lab: Surroundings, arns: Iterable[str]) -> None:
    if not all(lab.targets.exists(arn) for arn in arns):
        raise invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")


def traffic_sources(sources: Iterable[Mapping[str, str]]) -> list[str]:
    """The target groups among traffic sources; the lab has no others."""
    for source in sources:
        if source.get("Type", "elbv2") != "elbv2":
            raise invalid(f"Traffic source type {source['Type']} is not supported by the lab: use elbv2.")
    return [source["Identifier"] for source in sources]


def parse_tags(group_name: str, tags: Iterable[Mapping[str, Any]]) -> dict[str, Tag]:
    for tag in tags:
        if tag.get("ResourceId", group_name) != group_name:
            raise invalid("The resource id of a tag must be the name of the Auto Scaling group.")
        if not tag.get("Key") or tag["Key"].startswith("aws:"):
            raise invalid("Tag keys must not be empty and must not start with aws:.")
    return {tag["Key"]: Tag(tag["Key"], tag.get("Value", ""), tag.get("PropagateAtLaunch", True)) for tag in tags}


def _check_health(kinds: str, grace_period: float) -> None:
    for kind in kinds.split(","):
        if kind not in ("EC2", "ELB"):
            raise invalid(f"Health check type {kind} is not supported by the lab: use EC2 or ELB.")
    if grace_period < 0:
        raise invalid("Health check grace period must be greater than or equal to 0.")


def _termination_policies(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in list(TerminationPolicy):
            raise invalid(f"Termination policy {name} is not supported. See DescribeTerminationPolicyTypes.")
    return tuple(names)


def _template(lab: Surroundings, params: Params) -> dict[str, Any]:
    mixed = params.get("MixedInstancesPolicy")
    if params.get("LaunchTemplate"):
        return {"launch_template": resolve_template(lab, params["LaunchTemplate"]), "mixed_instances_policy": None}
    if not mixed:
        return {}
    specification = mixed.get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
    if not specification:
        raise invalid("A MixedInstancesPolicy must contain a LaunchTemplateSpecification.")
    _check_distribution(mixed.get("InstancesDistribution") or {})
    _check_overrides(mixed["LaunchTemplate"].get("Overrides") or [])
    return {"launch_template": resolve_template(lab, specification), "mixed_instances_policy": mixed}


def _check_distribution(distribution: Mapping[str, Any]) -> None:
    """The lab has capacity of every type, so ``prioritized`` always launches the first override: that it does."""
    if distribution.get("OnDemandPercentageAboveBaseCapacity", 100) != 100:
        raise invalid("Spot Instances are not supported by the lab: OnDemandPercentageAboveBaseCapacity must be 100.")
    if distribution.get("OnDemandAllocationStrategy", "prioritized") != "prioritized":
        raise invalid("The lab launches On-Demand Instances by priority: OnDemandAllocationStrategy prioritized.")


def _check_overrides(overrides: Iterable[Mapping[str, Any]]) -> None:
    for override in overrides:
        for name in override:
            if name not in ("InstanceType", "ImageId", "WeightedCapacity"):
                raise invalid(f"{name} in Overrides is not supported by the lab: use InstanceType and ImageId.")
        if override.get("WeightedCapacity", "1") != "1":
            raise invalid("The lab counts capacity in instances: WeightedCapacity must be 1, or left out.")


def resolve_template(lab: Surroundings, specification: Mapping[str, str]) -> dict[str, str]:
    """Id, name and the version as asked for. Raises AwsError when the template or the version does not exist."""
    if bool(specification.get("LaunchTemplateId")) == bool(specification.get("LaunchTemplateName")):
        raise invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    try:
        template = lab.fleet.template(specification)
    except AwsError as error:
        raise invalid(f"You must use a valid fully-formed launch template. {error.message}") from error
    return {
        "LaunchTemplateId": template.launch_template_id,
        "LaunchTemplateName": template.launch_template_name,
        "Version": specification.get("Version") or "$Default",
    }


def _placement(lab: Surroundings, params: Params) -> dict[str, Any]:
    identifier, zones = params.get("VPCZoneIdentifier"), params.get("AvailabilityZones") or []
    if not identifier and not zones:
        return {}
    if not identifier:
        return {"subnets": _asked(lab.fleet.default_subnets, tuple(zones)), "vpc_zone_identifier": ""}
    subnets = _asked(lab.fleet.subnets, tuple(part.strip() for part in identifier.split(",")))
    if zones and set(zones) != set(subnets.values()):
        raise invalid("The availability zones of the specified subnets and the AutoScalingGroup do not match")
    return {"subnets": subnets, "vpc_zone_identifier": identifier}


def _asked(lookup: Callable[[tuple[str, ...]], dict[str, str]], names: tuple[str, ...]) -> dict[str, str]:
    try:
        found = lookup(names)
    except AwsError as error:
        raise invalid(error.message) from error
    if not found:
        raise invalid(f"No subnet found for {', '.join(names)}.")
    return found
