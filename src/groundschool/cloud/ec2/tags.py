"""CreateTags, DeleteTags and DescribeTags over both halves: instances are ours, everything else is moto's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.passive.tag_records import TagRecords


class TagOperations:
    def __init__(self, instances: Instances, records: TagRecords) -> None:
        self._instances = instances
        self._records = records

    def create_tags(self, call: Call, params: Params) -> Result:
        given = params.get("Tags") or ()
        if not all(tag.get("Key") for tag in given):
            raise AwsError("MissingParameter", "The request must contain the parameter Tag.Key")
        tags = {tag["Key"]: tag.get("Value") or "" for tag in given}
        ours, others = self._split(params)
        for instance_id in ours:
            self._instances.get(instance_id).tags.update(tags)
        if others:
            self._records.add(call.region, others, tags)
        return {}

    def delete_tags(self, call: Call, params: Params) -> Result:
        given = params.get("Tags") or ()
        ours, others = self._split(params)
        for instance_id in ours:
            tags = self._instances.get(instance_id).tags
            for key in [key for key in tags if not given or _named(key, tags[key], given)]:
                del tags[key]
        if others:
            self._records.remove(call.region, others, {tag["Key"]: tag.get("Value") for tag in given})
        return {}

    def describe_tags(self, call: Call, params: Params) -> Result:
        filters = {each.get("Name", ""): list(each.get("Values") or ()) for each in params.get("Filters") or ()}
        found = self._records.described(call.region, filters)
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
