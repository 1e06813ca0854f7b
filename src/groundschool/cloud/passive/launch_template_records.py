"""Making launch templates and their versions in moto's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.backends import get_backend

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.network_records import as_aws_error, plain_template_data


@dataclass(frozen=True)
class TemplateRecord:
    """A launch template and one of its versions."""

    template_id: str
    name: str
    default_version: int
    latest_version: int
    version: int
    description: str | None
    created_at: datetime
    """Of the version."""
    data: Mapping[str, Any]
    tags: tuple[tuple[str, str], ...]


class LaunchTemplateRecords:
    """Raises AwsError with EC2's own codes for what is not there."""

    def __init__(self, passive: Passive, account_id: str, region: str) -> None:
        self._passive = passive
        self._account_id = account_id
        self._region = region

    def create(
        self, name: str, description: str | None, data: Mapping[str, Any], tags: Mapping[str, str]
    ) -> TemplateRecord:
        with self._passive.lock, as_aws_error():
            template = self._ec2.create_launch_template(name, description, dict(data), {"launch-template": dict(tags)})
            return _record(template, template.default_version())

    def find(self, template_id: str | None, name: str | None, version: str) -> TemplateRecord:
        """``version``: a number, ``$Latest`` or ``$Default``."""
        with self._passive.lock, as_aws_error():
            template = self._template(template_id, name)
            if version not in ("$Latest", "$Default") and not version.isdecimal():
                raise AwsError("InvalidLaunchTemplateId.VersionNotFound", f"Invalid launch template version: {version}")
            return _record(template, template.get_version(version))

    def add_version(
        self, template_id: str | None, name: str | None, description: str | None, data: Mapping[str, Any]
    ) -> TemplateRecord:
        with self._passive.lock, as_aws_error():
            template = self._template(template_id, name)
            return _record(template, template.create_version(dict(data), description))

    @property
    def _ec2(self) -> Any:
        return get_backend("ec2")[self._account_id][self._region]

    def _template(self, template_id: str | None, name: str | None) -> Any:
        if template_id:
            return self._ec2.get_launch_template(template_id)
        return self._ec2.get_launch_template_by_name(name)


def _record(template: Any, version: Any) -> TemplateRecord:
    created_at = version.create_time
    return TemplateRecord(
        template_id=template.id,
        name=template.name,
        default_version=template.default_version_number,
        latest_version=template.latest_version_number,
        version=version.number,
        description=version.description,
        created_at=created_at.replace(tzinfo=UTC) if created_at.tzinfo is None else created_at,
        data=plain_template_data(version.data),
        tags=tuple((tag["key"], tag["value"]) for tag in template.get_tags()),
    )
