"""Instance types: what each one is, and what it is worth on this host.

AWS: EC2 user guide, burstable performance instances (vCPU and memory).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from groundschool.cloud.aws_error import AwsError


@dataclass(frozen=True)
class InstanceType:
    name: str
    vcpus: int
    memory_mib: int
    architecture: str


_VCPUS = 2
_MEMORY_MIB = {"nano": 512, "micro": 1024, "small": 2048, "medium": 4096, "large": 8192}
# The same for t3 and t4g.

INSTANCE_TYPES: dict[str, InstanceType] = {
    f"{family}.{size}": InstanceType(f"{family}.{size}", _VCPUS, memory, architecture)
    for family, architecture in (("t3", "x86_64"), ("t4g", "arm64"))
    for size, memory in _MEMORY_MIB.items()
}


def find_instance_type(name: str) -> InstanceType:
    """Raises AwsError ``InvalidParameterValue``, as EC2 does for a type it does not have."""
    try:
        return INSTANCE_TYPES[name]
    except KeyError:
        known = ", ".join(INSTANCE_TYPES)
        message = f"Invalid value '{name}' for InstanceType. The lab has {known}."
        raise AwsError("InvalidParameterValue", message) from None


def lab_vcpu(host_cores: int | None = None) -> float:
    """One lab vCPU in host cores: a twentieth of the host, at least 0.05 and at most a quarter of a core.

    Small enough that several instances fit beside the load generator, large enough that a web app starts in seconds.
    """
    cores = host_cores if host_cores is not None else os.cpu_count() or 1
    return min(max(0.05 * cores, 0.05), 0.25)


def quota_cores(instance_type: InstanceType, vcpu: float) -> float:
    """The hard CPU quota of an instance in host cores; ``vcpu`` is :func:`lab_vcpu` or the user's own figure."""
    return instance_type.vcpus * vcpu


def cpu_utilization(used_seconds: float, interval_seconds: float, quota: float) -> float:
    """CloudWatch's CPUUtilization in percent of the quota, 0 to 100.

    Capped: a quota period that straddles the interval's edge, or the boot allowance, would otherwise show above 100.
    """
    if interval_seconds <= 0 or quota <= 0:
        return 0.0
    return min(100.0, max(0.0, 100.0 * used_seconds / (interval_seconds * quota)))
