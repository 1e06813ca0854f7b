"""Instances without a lab: records as values, and a machine that only says whether it is alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from groundschool.cloud.ec2.instance import Instance, MetadataOptions, State
from groundschool.cloud.passive.network_records import Image, Subnet

VPC, ZONE = "vpc-1", "eu-north-1a"


@dataclass
class Hardware:
    """In place of a :class:`~groundschool.cloud.compute.machine.Machine`."""

    on: bool = True
    hung: bool = False

    def alive(self) -> bool:
        return self.on


def subnet(zone: str = ZONE, *, public: bool = True, subnet_id: str = "subnet-1") -> Subnet:
    return Subnet(subnet_id, VPC, zone, True, public)


def instance(instance_id: str = "i-1", state: State = State.RUNNING, **given: Any) -> Instance:
    fields: dict[str, Any] = {
        "reservation_id": "r-1",
        "launch_index": 0,
        "image": Image("ami-1", "al2023", "x86_64", "/dev/xvda"),
        "instance_type": "t3.micro",
        "subnet": subnet(),
        "address": "127.0.10.4",
        "inner_address": "127.1.10.4",
        "security_group_ids": ("sg-1",),
        "profile": None,
        "key_name": None,
        "user_data": None,
        "metadata": MetadataOptions(),
        "detailed_monitoring": False,
        "disable_api_termination": False,
        "disable_api_stop": False,
        "terminates_on_shutdown": False,
        "cpu_credits": "standard",
        "public_address": None,
        "client_token": None,
        "launched_at": 0.0,
        "machine": Hardware(),
    }
    return Instance(instance_id, state=state, **(fields | given))
