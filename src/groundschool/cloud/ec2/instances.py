"""All instances of the lab: launches them, ends them, and moves their states on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.addresses import Addresses
from groundschool.cloud.ec2.instance import Instance, State, StateReason
from groundschool.cloud.ec2.launch import LaunchPlan
from groundschool.cloud.ec2.machine_room import MachineRoom
from groundschool.cloud.passive.identity_records import IdentityRecords
from groundschool.cloud.passive.network_records import NetworkRecords, Subnet

TERMINATED_STAYS_SECONDS = 3600.0
"""A terminated instance is described for about an hour (EC2 user guide, terminate instances). Lab seconds."""

INSTANCE_LIMIT = 40
"""More processes than this on a laptop measure the laptop; AWS's own quota is in vCPUs."""

USER_SHUTDOWN = StateReason("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")
INSTANCE_SHUTDOWN = StateReason(
    "Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
)


class Instances:
    """Called under the lab's lock only."""

    def __init__(
        self,
        room: MachineRoom,
        network: NetworkRecords,
        identity: IdentityRecords,
        addresses: Addresses,
        now: Callable[[], float],
        zone_is_out: Callable[[str], bool],
    ) -> None:
        self._room = room
        self._network = network
        self._identity = identity
        self._addresses = addresses
        self._now = now
        self._zone_is_out = zone_is_out
        self._instances: dict[str, Instance] = {}

    def launch(self, plan: LaunchPlan, launch_template: tuple[str, str] | None) -> list[Instance]:
        """All or none.

        Raises AwsError for every name that is not found, InstanceLimitExceeded, InsufficientInstanceCapacity.
        """
        if plan.client_token and (known := self._by_client_token(plan.client_token)):
            return known
        if len(self.live()) + plan.count > INSTANCE_LIMIT:
            raise AwsError("InstanceLimitExceeded", f"The lab runs at most {INSTANCE_LIMIT} instances at a time")
        image = self._network.image(plan.image_id)
        subnet = self._subnet(plan)
        groups = self._security_groups(plan, subnet)
        self._require_capacity(subnet.availability_zone, plan.instance_type)
        profile = None
        if plan.profile_name or plan.profile_arn:
            profile = self._identity.instance_profile(plan.profile_name, plan.profile_arn)
        reservation_id = _id("r")
        launched = []
        for index in range(plan.count):
            instance_id = _id("i")
            address, inner_address = self._addresses.take_for_instance(subnet.availability_zone)
            instance = Instance(
                instance_id=instance_id,
                reservation_id=reservation_id,
                launch_index=index,
                image=image,
                instance_type=plan.instance_type,
                subnet=subnet,
                address=address,
                inner_address=inner_address,
                security_group_ids=groups,
                profile=profile,
                key_name=plan.key_name,
                user_data=plan.user_data,
                metadata=plan.metadata,
                detailed_monitoring=plan.detailed_monitoring,
                disable_api_termination=plan.disable_api_termination,
                disable_api_stop=plan.disable_api_stop,
                terminates_on_shutdown=plan.terminates_on_shutdown,
                cpu_credits=plan.cpu_credits,
                public_address=plan.public_address,
                client_token=plan.client_token,
                launched_at=self._now(),
                changed_at=self._now(),
                machine=self._room.build(instance_id, plan, image.image_id, inner_address),
                tags=dict(plan.tags),
                launch_template=launch_template,
            )
            self._instances[instance_id] = instance
            self._room.boot(instance.machine, first=True)
            launched.append(instance)
        return launched

    def get(self, instance_id: str) -> Instance:
        """Raises AwsError InvalidInstanceID.NotFound."""
        instance = self._instances.get(instance_id)
        if instance is None:
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
        return instance

    def find(self, instance_id: str) -> Instance | None:
        return self._instances.get(instance_id)

    def select(self, instance_ids: Iterable[str]) -> list[Instance]:
        """Those named, or all when none is; in launch order."""
        wanted = list(instance_ids)
        return [self.get(each) for each in wanted] if wanted else list(self._instances.values())

    def live(self) -> list[Instance]:
        return [instance for instance in self._instances.values() if instance.state is not State.TERMINATED]

    def terminate(self, instance: Instance, reason: StateReason = USER_SHUTDOWN) -> None:
        if instance.state in (State.SHUTTING_DOWN, State.TERMINATED):
            return
        self._move(instance, State.SHUTTING_DOWN, reason)
        self._room.halt(instance.machine)

    def stop(self, instance: Instance) -> None:
        """Raises AwsError IncorrectInstanceState unless it is running or stopped already."""
        if instance.state in (State.STOPPING, State.STOPPED):
            return
        self._require(instance, State.RUNNING, "stopped")
        self._move(instance, State.STOPPING, USER_SHUTDOWN)
        self._room.halt(instance.machine)

    def start(self, instance: Instance) -> None:
        if instance.state in (State.PENDING, State.RUNNING):
            return
        self._require(instance, State.STOPPED, "started")
        self._require_capacity(instance.subnet.availability_zone, instance.instance_type)
        self._move(instance, State.PENDING, None)
        self._room.boot(instance.machine, first=False)

    def reboot(self, instance: Instance) -> None:
        self._require(instance, State.RUNNING, "rebooted")
        self._room.reboot(instance.machine)

    def resize(self, instance: Instance, instance_type: str) -> None:
        """Of a stopped instance; raises AwsError for a type that the lab does not have."""
        self._room.resize(instance.machine, instance_type)
        instance.instance_type = instance_type

    def step(self, now: float) -> list[Instance]:
        """Moves states on as the machines do; returns the instances that changed."""
        changed = [instance for instance in self._instances.values() if self._advance(instance)]
        for instance in list(self._instances.values()):
            if instance.state is State.TERMINATED and now - instance.changed_at > TERMINATED_STAYS_SECONDS:
                del self._instances[instance.instance_id]
        return changed

    def _advance(self, instance: Instance) -> bool:
        if not self._room.settled(instance.machine):
            return False
        alive = instance.machine.alive()
        if instance.state is State.PENDING and (why := self._room.failure(instance.machine)):
            failed = StateReason("Server.InternalError", f"Server.InternalError: Internal error on launch: {why}")
            self._move(instance, State.SHUTTING_DOWN, failed)
        elif instance.state is State.PENDING and alive:
            self._move(instance, State.RUNNING, None)
        elif instance.state is State.SHUTTING_DOWN and not alive:
            self._move(instance, State.TERMINATED, instance.state_reason)
            self._addresses.give_back(instance.address)
            self._room.discard(instance.machine)
        elif instance.state is State.STOPPING and not alive:
            self._move(instance, State.STOPPED, instance.state_reason)
        elif instance.state is State.RUNNING and not alive:
            after = State.SHUTTING_DOWN if instance.terminates_on_shutdown else State.STOPPED
            self._move(instance, after, INSTANCE_SHUTDOWN)
        else:
            return False
        return True

    def _move(self, instance: Instance, state: State, reason: StateReason | None) -> None:
        instance.state = state
        instance.state_reason = reason
        instance.state_transition_reason = "User initiated" if reason is USER_SHUTDOWN else ""
        instance.changed_at = self._now()
        if state in (State.SHUTTING_DOWN, State.STOPPING):
            instance.asked_to_end_at = instance.changed_at

    def _require(self, instance: Instance, state: State, deed: str) -> None:
        if instance.state is not state:
            raise AwsError(
                "IncorrectInstanceState",
                f"The instance '{instance.instance_id}' is not in a state from which it can be {deed}.",
            )

    def _require_capacity(self, zone: str, instance_type: str) -> None:
        if self._zone_is_out(zone):
            raise AwsError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {instance_type} capacity in the Availability Zone you requested "
                f"({zone}). Our system will be working on provisioning additional capacity.",
                500,
            )

    def _by_client_token(self, token: str) -> list[Instance]:
        return [instance for instance in self._instances.values() if instance.client_token == token]

    def _subnet(self, plan: LaunchPlan) -> Subnet:
        if plan.subnet_id:
            return self._network.subnet(plan.subnet_id)
        defaults = self._network.default_subnets()
        if plan.availability_zone:
            defaults = [each for each in defaults if each.availability_zone == plan.availability_zone]
        if not defaults:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{plan.availability_zone}]")
        return defaults[0]

    def _security_groups(self, plan: LaunchPlan, subnet: Subnet) -> tuple[str, ...]:
        named = [self._network.security_group_named(name, subnet.vpc_id) for name in plan.security_group_names]
        given = [self._network.security_group(group_id) for group_id in plan.security_group_ids]
        for group in given:
            if group.vpc_id != subnet.vpc_id:
                raise AwsError(
                    "InvalidParameter",
                    f"Security group {group.group_id} and subnet {subnet.subnet_id} belong to different networks.",
                )
        found = [*given, *named] or [self._network.security_group_named("default", subnet.vpc_id)]
        return tuple(group.group_id for group in found)


def launch_template_of(
    params: Mapping[str, Any], network: NetworkRecords
) -> tuple[Mapping[str, Any], tuple[str, str] | None]:
    """``(template data, (id, version))`` of a request's LaunchTemplate; empty and None without one."""
    specification = params.get("LaunchTemplate")
    if not specification:
        return {}, None
    version = network.launch_template(specification)
    return version.data, (version.template_id, str(version.version))


def _id(prefix: str) -> str:
    return f"{prefix}-0{secrets.token_hex(8)}"
