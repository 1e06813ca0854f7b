"""Every change the lab makes to moto, each with its reason; tests/passive/test_moto_patches.py fails when moto moves.

Nothing else in the lab assigns to a moto name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.core import errors, serialize
from moto.core.common_models import BaseModel
from moto.ec2.models.amis import Ami
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup
from moto.s3.models import FakeKey

from groundschool.cloud.passive.xml_writer import xml_text

_applied = False


def apply(load_balancer_dns_name: Callable[[str, str], str]) -> None:
    """Applies all patches once per process.

    ``load_balancer_dns_name(arn, name)`` gives the name under which the data plane will serve a new load balancer.
    """
    global _applied
    _name_load_balancers(load_balancer_dns_name)
    if _applied:
        return
    _applied = True
    _forget_dead_objects()
    _default_health_checks_as_aws()
    _root_volumes_as_amazon_linux()
    _accept_errors_without_a_model()
    _write_xml_faster()
    _compare_rules_as_aws()


def _forget_dead_objects() -> None:
    """moto keeps every model object in a class-level list for its dashboard: a leak in a lab that runs for hours."""

    def new(cls: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
        return object.__new__(cls)

    def close(self: FakeKey) -> None:
        self.dispose()

    BaseModel.__new__ = new
    # moto closes S3 objects by that list when it is reset, and calls one that goes before a mistake.
    FakeKey.__del__ = close


_create_load_balancer = ELBv2Backend.create_load_balancer


def _name_load_balancers(dns_name: Callable[[str, str], str]) -> None:
    """moto answers with a name under amazonaws.com, where nothing of the lab listens."""

    def create_load_balancer(self: ELBv2Backend, *args: Any, **kwargs: Any) -> Any:
        created = _create_load_balancer(self, *args, **kwargs)
        created.dns_name = dns_name(created.arn, created.name)
        created.attrs["load_balancing.cross_zone.enabled"] = "true"  # AWS: always on for an Application Load Balancer
        return created

    ELBv2Backend.create_load_balancer = create_load_balancer


def _root_volumes_as_amazon_linux() -> None:
    """moto gives every image 15 GiB of magnetic disk. Amazon Linux 2023 has 8 GiB gp3, and that is what is billed."""

    def block_device_mappings(self: Ami) -> list[dict[str, Any]]:
        disk = {"VolumeSize": 8, "VolumeType": "gp3", "DeleteOnTermination": True}
        return [{"DeviceName": self.root_device_name, "Ebs": {"SnapshotId": self.ebs_snapshot.id, **disk}}]

    Ami.block_device_mappings = property(block_device_mappings)


def _default_health_checks_as_aws() -> None:
    """moto's defaults are a 10 s time-out and no path; an HTTP target group on AWS has 5 s and ``/``."""
    init = FakeTargetGroup.__init__

    def __init__(self: FakeTargetGroup, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        init(self, *args, **kwargs)
        if self.health_check_protocol in ("HTTP", "HTTPS"):
            self.health_check_path = self.health_check_path or "/"
            if not kwargs.get("healthcheck_timeout_seconds"):
                self.health_check_timeout_seconds = 5

    FakeTargetGroup.__init__ = __init__


def _accept_errors_without_a_model() -> None:
    """moto warns of each error code that a service model does not list; most of AWS's own codes are not listed."""

    def silent(*_: Any, **__: Any) -> None:
        """In place of ``warnings.warn`` in this one module."""

    errors.warn = silent


class FasterXml:
    """In place of the module ``xmltodict`` in moto's serialisers."""

    @staticmethod
    def unparse(document: Mapping[str, Any], **_: Any) -> str:
        return xml_text(document)


def _write_xml_faster() -> None:
    """moto's XML writer takes two thirds of the time of a DescribeInstances, and writes what no client can read."""
    serialize.xmltodict = FasterXml


def _compare_rules_as_aws() -> None:
    """moto takes the same security group with another description, or without its owner, for another rule.

    AWS: RevokeSecurityGroupIngress, "you do not need to specify the description to revoke the rule". moto also shows
    the description of a CIDR only.
    """

    def identity(rule: SecurityGroupRule) -> tuple[object, ...]:
        return (
            rule.ip_protocol,
            rule.from_port,
            rule.to_port,
            rule.cidr_ipv4,
            rule.cidr_ipv6,
            rule.source_group.get("GroupId"),
            rule.prefix_list_id,
        )

    def __eq__(self: SecurityGroupRule, other: object) -> bool:  # noqa: N807
        return isinstance(other, SecurityGroupRule) and identity(self) == identity(other)

    def description(self: SecurityGroupRule) -> str | None:
        found: str | None = self.ip_range.get("Description") or self.source_group.get("Description")
        return found

    SecurityGroupRule.__eq__ = __eq__
    SecurityGroupRule.description = property(description)
