"""What the metadata service tells an instance of itself, from the lab's records."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import RLock

from groundschool.clock import Clock
from groundschool.cloud.autoscaling.service import AutoScaling
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.identity.role_session import RoleSessions
from groundschool.cloud.metadata.identity import InstanceIdentity, RoleCredentials
from groundschool.cloud.passive.identity_records import IdentityRecords
from groundschool.cloud.passive.network_records import NetworkRecords
from groundschool.cloud.settings import LabSettings


class IdentityView:
    """Called on the metadata service's threads; takes the lab's lock itself."""

    def __init__(
        self,
        settings: LabSettings,
        clock: Clock,
        lock: RLock,
        instances: Instances,
        network: NetworkRecords,
        identity: IdentityRecords,
        sessions: RoleSessions,
        autoscaling: AutoScaling,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = lock
        self._instances = instances
        self._network = network
        self._identity = identity
        self._sessions = sessions
        self._autoscaling = autoscaling

    def identity(self, instance_id: str) -> InstanceIdentity | None:
        with self._lock:
            instance = self._instances.find(instance_id)
            if instance is None or instance.state is State.TERMINATED:
                return None
            groups = self._network.security_groups()
            return InstanceIdentity(
                instance_id=instance.instance_id,
                image_id=instance.image.image_id,
                instance_type=instance.instance_type,
                availability_zone=instance.subnet.availability_zone,
                region=self._settings.region,
                account_id=self._settings.account_id,
                private_ip=instance.address,
                public_ip=instance.address if instance.public else None,
                reservation_id=instance.reservation_id,
                security_groups=tuple(groups[each].name for each in instance.security_group_ids if each in groups),
                pending_time=self._clock.wall_time(instance.launched_at),
                architecture=instance.image.architecture,
                instance_profile_arn=instance.profile.arn if instance.profile else None,
                instance_profile_id=instance.profile.profile_id if instance.profile else None,
                target_lifecycle_state=self._autoscaling.target_lifecycle_state(instance_id),
                user_data=(instance.user_data or b"").decode("utf-8", "replace"),
                tokens_required=instance.metadata.http_tokens == "required",
                endpoint_enabled=instance.metadata.http_endpoint == "enabled",
            )

    def credentials(self, instance_id: str) -> RoleCredentials | None:
        with self._lock:
            instance = self._instances.find(instance_id)
            if instance is None or instance.state is State.TERMINATED:
                return None  # a late request must not mint what was just forgotten
            role_name = self._role_name(instance)
            if role_name is None:
                return None
            session = self._sessions.of_instance(instance_id, role_name, time.time())
        return RoleCredentials(
            role_name=session.role_name,
            access_key_id=session.access_key_id,
            secret_access_key=session.secret_access_key,
            token=session.token,
            last_updated=datetime.fromtimestamp(session.issued_at, UTC),
            expiration=datetime.fromtimestamp(session.expires_at, UTC),
        )

    def _role_name(self, instance: Instance) -> str | None:
        """The role in the profile now, not at launch: a role added later works without a restart, as on AWS."""
        if instance.profile is None:
            return None
        try:
            return self._identity.instance_profile(instance.profile.name, None).role_name
        except AwsError:
            return None  # the profile was deleted meanwhile
