"""What moto remembers of roles, users and their policies, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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

    arn: str
    statements: tuple[Statement, ...]


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
        """The IAM user or assumed role behind a key that was created through the API."""
        with self._passive.lock:
            for user in self._iam.users.values():
                if any(key.access_key_id == access_key_id for key in user.access_keys):
                    documents = [*user.policies.values(), *(_document(p) for p in user.managed_policies.values())]
                    return AccessKeyOwner(user.arn, _statements(documents))
            assumed = get_backend("sts")[self._account_id]["aws"].get_assumed_role_from_access_key(access_key_id)
            if assumed is None:
                return None
            role = self.role(assumed.role_arn.rpartition("/")[2])
            return AccessKeyOwner(assumed.arn, role.statements if role else ())


def _document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _statements(documents: list[str]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for document in documents:
        statement = json.loads(document).get("Statement", [])
        found.extend(statement if isinstance(statement, list) else [statement])
    return tuple(found)
