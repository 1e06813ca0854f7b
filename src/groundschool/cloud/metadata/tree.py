"""The paths of the metadata service. Pure: identity and credentials in, path -> text out.

AWS: EC2 user guide, instance metadata categories; a parent path lists its children, folders with a trailing slash.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from groundschool.cloud.metadata.identity import InstanceIdentity, RoleCredentials

VERSION = "latest"


def metadata_tree(identity: InstanceIdentity, credentials: RoleCredentials | None) -> dict[str, str]:
    """Every leaf below ``/latest``; what the instance does not have is absent, as on AWS."""
    hostname = f"ip-{identity.private_ip.replace('.', '-')}.{identity.region}.compute.internal"
    leaves: dict[str, str | None] = {
        "ami-id": identity.image_id,
        "ami-launch-index": "0",
        "autoscaling/target-lifecycle-state": identity.target_lifecycle_state,
        "hostname": hostname,
        "iam/info": _profile(identity, credentials),
        "instance-id": identity.instance_id,
        "instance-life-cycle": "on-demand",
        "instance-type": identity.instance_type,
        "local-hostname": hostname,
        "local-ipv4": identity.private_ip,
        "placement/availability-zone": identity.availability_zone,
        "placement/region": identity.region,
        "public-ipv4": identity.public_ip,
        "reservation-id": identity.reservation_id,
        "security-groups": "\n".join(identity.security_groups),
    }
    if credentials is not None:
        leaves[f"iam/security-credentials/{credentials.role_name}"] = _credentials(credentials)
    tree = {f"meta-data/{path}": value for path, value in leaves.items() if value is not None}
    tree["dynamic/instance-identity/document"] = _document(identity)
    if identity.user_data:
        tree["user-data"] = identity.user_data
    return tree


def look_up(tree: dict[str, str], path: str) -> str | None:
    """The answer to ``GET /<path>``: a leaf, or the listing of its children; None is a 404."""
    version, _, wanted = path.strip("/").partition("/")
    if not version:
        return VERSION
    if version != VERSION:
        return None
    if wanted in tree:
        return tree[wanted]
    prefix = f"{wanted}/" if wanted else ""
    below = [name.removeprefix(prefix) for name in tree if name.startswith(prefix)]
    if not below:
        return None
    leaves = {name for name in below if "/" not in name}
    folders = {name.split("/")[0] + "/" for name in below if "/" in name}
    return "\n".join(sorted(leaves | folders))


def _credentials(credentials: RoleCredentials) -> str:
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": _moment(credentials.last_updated),
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.token,
            "Expiration": _moment(credentials.expiration),
        },
        indent=2,
    )


def _profile(identity: InstanceIdentity, credentials: RoleCredentials | None) -> str | None:
    if identity.instance_profile_arn is None:
        return None
    updated = credentials.last_updated if credentials else identity.pending_time
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": _moment(updated),
            "InstanceProfileArn": identity.instance_profile_arn,
            "InstanceProfileId": identity.instance_profile_id,
        },
        indent=2,
    )


def _document(identity: InstanceIdentity) -> str:
    return json.dumps(
        {
            "accountId": identity.account_id,
            "architecture": identity.architecture,
            "availabilityZone": identity.availability_zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "marketplaceProductCodes": None,
            "imageId": identity.image_id,
            "instanceId": identity.instance_id,
            "instanceType": identity.instance_type,
            "kernelId": None,
            "pendingTime": _moment(identity.pending_time),
            "privateIp": identity.private_ip,
            "ramdiskId": None,
            "region": identity.region,
            "version": "2017-09-30",
        },
        indent=2,
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
