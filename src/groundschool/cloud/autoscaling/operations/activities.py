"""``DescribeScalingActivities``: what happened, and why."""

from __future__ import annotations

from collections.abc import Sequence

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations.answers import activity_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, page
from groundschool.cloud.call import Call, Params, Result


class ActivityOperations(Asking):
    def describe_scaling_activities(self, call: Call, params: Params) -> Result:
        """In progress first, then the newest first. Activities of deleted groups on request."""
        ids = params.get("ActivityIds")
        found = [
            (group, activity)
            for group in self._groups(params)
            for activity in group.activities
            if not ids or activity.activity_id in ids
        ]
        found.sort(key=lambda pair: (pair[1].ended_at is not None, -pair[1].started_at))
        part, more = page(found, params, size=100)
        return {"Activities": [activity_answer(self.lab, *pair) for pair in part], **more}

    def _groups(self, params: Params) -> Sequence[Group]:
        name = params.get("AutoScalingGroupName")
        deleted = self.service.deleted if params.get("IncludeDeletedGroups") else []
        groups = [*self.service.groups.values(), *deleted]
        if name is None:
            return groups
        return [group for group in groups if group.name == name] or [self.group_named(params)]
