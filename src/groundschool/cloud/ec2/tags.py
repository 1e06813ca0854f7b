"""CreateTags, DeleteTags and DescribeTags over both halves: instances are ours, everything else is moto's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.passive.application import Passive


class TagOperations:
    def __init__(self, instances: Instances, passive: Passive) -> None:
        self._instances = instances
        self._passive = passive

    def create_tags(self, call: Call, params: Params) -> Result:
        given = params.get("Tags") or ()
        if not all(tag.get("Key") for tag in given):
            raise AwsError("MissingParameter", "The request must contain the parameter Tag.Key")
        tags = {tag["Key"]: tag.get("Value") or "" for tag in given}
        ours, others = self._split(params)
        for instance_id in ours:
            self._instances.get(instance_id).tags.update(tags)
        if others:
            with self._passive.lock:
                _ec2(call).create_tags(others, tags)
        return {}

    def delete_tags(self, call: Call, params: Params) -> Result:
        given = params.get("Tags") or ()
        ours, others = self._split(params)
        for instance_id in ours:
            tags = self._instances.get(instance_id).tags
            for key in [key for key in tags if not given or _named(key, tags[key], given)]:
                del tags[key]
        if others:
            with self._passive.lock:
                _ec2(call).delete_tags(others, {tag["Key"]: tag.get("Value") for tag in given})
        return {}

    def describe_tags(self, call: Call, params: Params) -> Result:
        filters = {each["Name"]: list(each.get("Values") or ()) for each in params.get("Filters") or ()}
        with self._passive.lock:
            found = [_row(tag) for tag in _ec2(call).describe_tags(filters)]
        for instance in self._instances.live():
            rows = (
                {"ResourceId": instance.instance_id, "ResourceType": "instance", "Key": key, "Value": value}
                for key, value in instance.tags.items()
            )
            found.extend(row for row in rows if _selected(row, filters))
        return {"Tags": found}

    def _split(self, params: Params) -> tuple[list[str], list[str]]:
        resources = params.get("Resources") or []
        ours = [each for each in resources if each.startswith("i-")]
        return ours, [each for each in resources if not each.startswith("i-")]


def _ec2(call: Call) -> Any:
    return get_backend("ec2")[call.account_id][call.region]


def _row(tag: Mapping[str, str]) -> dict[str, str]:
    return {
        "ResourceId": tag["resource_id"],
        "ResourceType": tag["resource_type"],
        "Key": tag["key"],
        "Value": tag["value"],
    }


def _named(key: str, value: str, given: Any) -> bool:
    return any(tag["Key"] == key and tag.get("Value") in (None, value) for tag in given)


def _selected(row: Mapping[str, str], filters: Mapping[str, list[str]]) -> bool:
    names = {"resource-id": "ResourceId", "resource-type": "ResourceType", "key": "Key", "value": "Value"}
    for name, values in filters.items():
        if name.startswith("tag:"):
            if row["Key"] != name.removeprefix("tag:") or row["Value"] not in values:
                return False
        elif name in names and row[names[name]] not in values:
            return False
    return True
