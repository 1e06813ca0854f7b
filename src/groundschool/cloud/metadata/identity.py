"""What an instance may be told about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class InstanceIdentity:
    """Read anew for every request, so that a changed attribute shows at once."""

    instance_id: str
    image_id: str
    instance_type: str
    availability_zone: str
    region: str
    account_id: str
    private_ip: str
    public_ip: str | None
    reservation_id: str
    security_groups: tuple[str, ...]
    """Names."""
    pending_time: datetime
    architecture: str = "x86_64"
    instance_profile_arn: str | None = None
    instance_profile_id: str | None = None
    target_lifecycle_state: str | None = None
    """AWS: Auto Scaling's ``autoscaling/target-lifecycle-state``; None outside a group."""
    user_data: str = ""
    tokens_required: bool = True
    """AWS: MetadataOptions.HttpTokens ``required``; ``optional`` also answers IMDSv1."""
    endpoint_enabled: bool = True


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of the role in the instance's profile. AWS renews them at least 5 minutes before expiry."""

    role_name: str
    access_key_id: str
    secret_access_key: str
    token: str
    last_updated: datetime
    expiration: datetime
