"""What moto remembers of roles, users and their policies, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from math import inf
from typing import Any

from moto.backends import get_backend
from moto.iam.exceptions import NotFoundException

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.passive.application import Passive

Statement = Mapping[str, Any]
"""One statement of an IAM policy document."""


@dataclass(frozen=True)
class Role:
    name: str
    arn: str
    role_id: str
    statements: tuple[Statement, ...]
    """Of its inline and attached policies together."""


@dataclass(frozen=True)
class InstanceProfile:
    arn: str
    name: str
    profile_id: str
    role_name: str | None


@dataclass(frozen=True)
class AccessKeyOwner:
    """Who holds an access key that IAM or STS made."""

    access_key_id: str
    arn: str
    unique_id: str
    """``UserId`` of GetCallerIdentity."""
    statements: tuple[Statement, ...]
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float = inf
    """Unix seconds."""


class IdentityRecords:
    """Reads moto's IAM and STS backends."""

    def __init__(self, passive: Passive, account_id: str) -> None:
        self._passive = passive
        self._account_id = account_id

    @property
    def _iam(self) -> Any:
        return get_backend("iam")[self._account_id]["aws"]

    def instance_profile(self, name: str | None, arn: str | None) -> InstanceProfile:
        """By name or ARN; raises AwsError InvalidParameterValue as RunInstances does."""
        with self._passive.lock:
            try:
                profile = (
                    self._iam.get_instance_profile_by_arn(arn) if arn else self._iam.get_instance_profile(name or "")
                )
            except NotFoundException:
                raise AwsError(
                    "InvalidParameterValue",
                    f"Value ({arn or name}) for parameter iamInstanceProfile.{'arn' if arn else 'name'} is invalid. "
                    f"Invalid IAM Instance Profile {'ARN' if arn else 'name'}",
                ) from None
            return InstanceProfile(
                profile.arn, profile.name, profile.id, profile.roles[0].name if profile.roles else None
            )

    def role(self, name: str) -> Role | None:
        """None when the role does not exist (any more)."""
        with self._passive.lock:
            found = next((role for role in self._iam.roles.values() if role.name == name), None)
            if found is None:
                return None
            documents = [*found.policies.values(), *(_document(policy) for policy in found.managed_policies.values())]
            return Role(found.name, found.arn, found.id, _statements(documents))

    def owner(self, access_key_id: str) -> AccessKeyOwner | None:
        """The IAM user or assumed role behind a key that was created through the API; None for an inactive key."""
        return next((owner for owner in self.owners() if owner.access_key_id == access_key_id), None)

    def owners(self) -> list[AccessKeyOwner]:
        """Of all active keys."""
        with self._passive.lock:
            of_users = [
                self._of_user(user, key)
                for user in self._iam.users.values()
                for key in user.access_keys
                if key.status == "Active"
            ]
            sts = get_backend("sts")[self._account_id]["aws"]
            return of_users + [self._of_assumed_role(assumed) for assumed in sts.assumed_roles]

    def _of_user(self, user: Any, key: Any) -> AccessKeyOwner:
        groups = self._iam.get_groups_for_user(user.name)
        documents = [
            *user.policies.values(),
            *(_document(policy) for policy in user.managed_policies.values()),
            *(document for group in groups for document in group.policies.values()),
            *(_document(policy) for group in groups for policy in group.managed_policies.values()),
        ]
        return AccessKeyOwner(key.access_key_id, user.arn, user.id, _statements(documents), key.secret_access_key)

    def _of_assumed_role(self, assumed: Any) -> AccessKeyOwner:
        role = self.role(assumed.role_arn.rpartition("/")[2])
        return AccessKeyOwner(
            assumed.access_key_id,
            assumed.arn,
            f"{role.role_id if role else 'AROAUNKNOWN'}:{assumed.session_name}",
            role.statements if role else (),
            assumed.secret_access_key,
            assumed.session_token,
            assumed.expiration.replace(tzinfo=UTC).timestamp(),
        )


def _document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _statements(documents: list[str]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for document in documents:
        statement = json.loads(document).get("Statement", [])
        found.extend(statement if isinstance(statement, list) else [statement])
    return tuple(found)
