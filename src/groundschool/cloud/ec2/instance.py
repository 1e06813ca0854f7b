"""The record of one instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from groundschool.cloud.compute.machine import Machine
from groundschool.cloud.passive.identity_records import InstanceProfile
from groundschool.cloud.passive.network_records import Image, Subnet


class State(StrEnum):
    """AWS: EC2 user guide, instance state changes."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def code(self) -> int:
        """``InstanceState.Code``."""
        return {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}[self]


@dataclass(frozen=True)
class MetadataOptions:
    """AWS: ``MetadataOptions`` of RunInstances. AL2023 images default to required tokens."""

    http_tokens: str = "required"
    http_endpoint: str = "enabled"
    hop_limit: int = 2


@dataclass(frozen=True)
class StateReason:
    code: str
    message: str


@dataclass
class Instance:
    """Mutable; owned by :class:`~groundschool.cloud.ec2.instances.Instances` and changed under the lab's lock only."""

    instance_id: str
    reservation_id: str
    launch_index: int
    image: Image
    instance_type: str
    subnet: Subnet
    address: str
    inner_address: str
    security_group_ids: tuple[str, ...]
    profile: InstanceProfile | None
    key_name: str | None
    user_data: bytes | None
    metadata: MetadataOptions
    detailed_monitoring: bool
    disable_api_termination: bool
    disable_api_stop: bool
    terminates_on_shutdown: bool
    """``InstanceInitiatedShutdownBehavior``: ``terminate`` instead of ``stop``."""
    cpu_credits: str
    """``CreditSpecification.CpuCredits`` as asked for; without effect."""
    public_address: bool | None
    """Whether it was launched with a public address; None: as its subnet has it."""
    client_token: str | None
    launched_at: float
    """Lab seconds."""
    machine: Machine
    tags: dict[str, str] = field(default_factory=dict)
    launch_template: tuple[str, str] | None = None
    """(id, version), as Auto Scaling and instance refresh compare them."""
    state: State = State.PENDING
    state_reason: StateReason | None = None
    state_transition_reason: str = ""
    asked_to_end_at: float = 0.0
    """Lab seconds of the last stop or termination, which is when AWS stops billing."""
    changed_at: float = 0.0
    """Lab seconds of the last state change."""

    @property
    def interface_id(self) -> str:
        """Of its one network interface, which lives and ends with it."""
        return f"eni-{self.instance_id.removeprefix('i-')}"

    @property
    def public(self) -> bool:
        """Has a public address now. AWS: it is given back when the instance stops."""
        asked_for = self.subnet.maps_public_ip if self.public_address is None else self.public_address
        return asked_for and self.reachable

    @property
    def reachable(self) -> bool:
        """Has a network interface that carries traffic."""
        return self.state in (State.PENDING, State.RUNNING, State.SHUTTING_DOWN, State.STOPPING)

    def state_document(self) -> dict[str, Any]:
        return {"Code": self.state.code, "Name": str(self.state)}
