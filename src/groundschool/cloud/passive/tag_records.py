"""moto's tags of everything in EC2 that is not an instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.backends import get_backend

from groundschool.cloud.passive.application import Passive


class TagRecords:
    """Of any region: VPCs and their like are records everywhere."""

    def __init__(self, passive: Passive, account_id: str) -> None:
        self._passive = passive
        self._account_id = account_id

    def add(self, region: str, resource_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        with self._passive.lock:
            self._ec2(region).create_tags(list(resource_ids), dict(tags))

    def remove(self, region: str, resource_ids: Sequence[str], tags: Mapping[str, str | None]) -> None:
        """A tag whose value is None goes whatever its value; no tags: all of them."""
        with self._passive.lock:
            self._ec2(region).delete_tags(list(resource_ids), dict(tags))

    def described(self, region: str, filters: Mapping[str, list[str]]) -> list[dict[str, str]]:
        """Rows of DescribeTags."""
        names = {"resource_id": "ResourceId", "resource_type": "ResourceType", "key": "Key", "value": "Value"}
        with self._passive.lock:
            found = self._ec2(region).describe_tags(dict(filters))
            return [{shown: tag[name] for name, shown in names.items()} for tag in found]

    def _ec2(self, region: str) -> Any:
        return get_backend("ec2")[self._account_id][region]
