"""Operations on the tags of groups; they reach instances at launch only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations.answers import tag_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required
from groundschool.cloud.autoscaling.operations.group_settings import parse_tags
from groundschool.cloud.call import Call, Params, Result

_FILTERS = {
    "auto-scaling-group": "ResourceId",
    "key": "Key",
    "value": "Value",
    "propagate-at-launch": "PropagateAtLaunch",
}


class TagOperations(Asking):
    def create_or_update_tags(self, call: Call, params: Params) -> Result:
        for tag in required(params, "Tags"):
            group = self._group_of(tag)
            group.tags.update(parse_tags(group.name, [tag]))
        return {}

    def delete_tags(self, call: Call, params: Params) -> Result:
        """With a value, only a tag that has that value."""
        for tag in required(params, "Tags"):
            tags = self._group_of(tag).tags
            found = tags.get(tag.get("Key", ""))
            if found is not None and tag.get("Value", found.value) == found.value:
                del tags[found.key]
        return {}

    def describe_tags(self, call: Call, params: Params) -> Result:
        tags = [tag_answer(group, tag) for group in self.service.groups.values() for tag in group.tags.values()]
        for wanted in params.get("Filters", []):
            field = _FILTERS.get(wanted.get("Name", ""))
            if field is None:
                raise invalid(f"Filter type {wanted.get('Name')} is not correct. Allowed values: {', '.join(_FILTERS)}")
            tags = [tag for tag in tags if _text(tag[field]) in wanted.get("Values", [])]
        answers, more = page(tags, params)
        return {"Tags": answers, **more}

    def _group_of(self, tag: Mapping[str, Any]) -> Group:
        return self.group_named({"AutoScalingGroupName": tag.get("ResourceId")})


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
