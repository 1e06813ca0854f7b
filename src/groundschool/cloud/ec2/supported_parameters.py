"""What a launch may ask of an instance of the lab: honoured, without meaning here, or refused; never ignored. Pure.

A test holds these lists against botocore's model: a parameter that AWS adds must be put in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError

HONOURED = frozenset(
    """
    ImageId InstanceType KeyName MinCount MaxCount Monitoring Placement SecurityGroupIds SecurityGroups SubnetId
    UserData TagSpecifications LaunchTemplate MetadataOptions DisableApiTermination DisableApiStop ClientToken
    NetworkInterfaces
    IamInstanceProfile InstanceInitiatedShutdownBehavior DryRun
    """.split()
)

WITHOUT_MEANING = frozenset(
    """
    BlockDeviceMappings CreditSpecification EbsOptimized PrivateDnsNameOptions MaintenanceOptions AdditionalInfo
    CapacityReservationSpecification NetworkPerformanceOptions Operator
    """.split()
)
"""Accepted, because they change nothing a learner of the lab could see: an instance has a folder for a disk, a hard CPU
quota without credits, and one name. The differences page lists them."""

REFUSED = frozenset(
    """
    KernelId RamdiskId RamDiskId Ipv6AddressCount Ipv6Addresses EnablePrimaryIpv6 ElasticGpuSpecification
    ElasticGpuSpecifications ElasticInferenceAccelerators InstanceMarketOptions CpuOptions LicenseSpecifications
    InstanceRequirements PrivateIpAddress SecondaryInterfaces HibernationOptions EnclaveOptions
    """.split()
)

_OFF = ({"Configured": False}, {"Enabled": False}, {"Configured": "false"}, {"Enabled": "false"})
_INTERFACE = frozenset(
    "DeviceIndex SubnetId Groups AssociatePublicIpAddress DeleteOnTermination Description InterfaceType "
    "NetworkCardIndex ConnectionTrackingSpecification".split()
)
_PLACEMENT = frozenset({"AvailabilityZone"})


def refuse_what_would_be_ignored(given: Mapping[str, Any]) -> None:
    """``given``: RunInstances' parameters or LaunchTemplateData. Raises AwsError Unsupported, naming the parameter.

    EC2's own code for a combination of parameters it does not have.
    """
    for name in given:
        if name in REFUSED and given[name] not in (None, "", [], {}, *_OFF):
            raise _unsupported(name)
    for interface in given.get("NetworkInterfaces") or ():
        _only(_INTERFACE, interface, "NetworkInterfaces")
        if interface.get("InterfaceType", "interface") != "interface":
            raise _unsupported(f"NetworkInterfaces.InterfaceType {interface['InterfaceType']}")
    placement = dict(given.get("Placement") or {})
    if placement.get("Tenancy") in (None, "", "default"):
        placement.pop("Tenancy", None)
    _only(_PLACEMENT, placement, "Placement")


def _only(known: frozenset[str], given: Mapping[str, Any], where: str) -> None:
    for name, value in given.items():
        if name not in known and value not in (None, "", [], 0, False):
            raise _unsupported(f"{where}.{name}")


def _unsupported(name: str) -> AwsError:
    return AwsError(
        "Unsupported", f"The lab's instances have no {name}. Leave it out; docs/differences-from-aws.md says why."
    )
