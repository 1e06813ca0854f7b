"""Operations on scheduled actions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations.answers import scheduled_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required
from groundschool.cloud.autoscaling.operations.group_settings import check_bounds
from groundschool.cloud.autoscaling.scheduled_action import Recurrence, ScheduledAction
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result

MOST_ACTIONS = 125
"""AWS: quotas for EC2 Auto Scaling, scheduled actions per group."""


class ScheduledActionOperations(Asking):
    def put_scheduled_update_group_action(self, call: Call, params: Params) -> Result:
        self._put(self.group_named(params), params)
        return {}

    def batch_put_scheduled_update_group_action(self, call: Call, params: Params) -> Result:
        """Puts what it can and tells what it could not."""
        group, failed = self.group_named(params), []
        for request in required(params, "ScheduledUpdateGroupActions"):
            try:
                self._put(group, request)
            except AwsError as error:
                name = request.get("ScheduledActionName", "")
                failed.append({"ScheduledActionName": name, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"FailedScheduledUpdateGroupActions": failed}

    def describe_scheduled_actions(self, call: Call, params: Params) -> Result:
        groups = [self.group_named(params)] if params.get("AutoScalingGroupName") else self.service.groups.values()
        names = params.get("ScheduledActionNames")
        first, last = _aware(params.get("StartTime")), _aware(params.get("EndTime"))
        found = [
            scheduled_answer(group, action)
            for group in groups
            for action in group.scheduled_actions.values()
            if (not names or action.name in names) and _between(self._shown_start(action), first, last)
        ]
        answers, more = page(found, params)
        return {"ScheduledUpdateGroupActions": answers, **more}

    def delete_scheduled_action(self, call: Call, params: Params) -> Result:
        group, name = self.group_named(params), required(params, "ScheduledActionName")
        if name not in group.scheduled_actions:
            raise invalid("Scheduled action name not found")
        del group.scheduled_actions[name]
        return {}

    def batch_delete_scheduled_action(self, call: Call, params: Params) -> Result:
        group, failed = self.group_named(params), []
        for name in required(params, "ScheduledActionNames"):
            if group.scheduled_actions.pop(name, None) is None:
                message = "Scheduled action name not found"
                failed.append({"ScheduledActionName": name, "ErrorCode": "ValidationError", "ErrorMessage": message})
        return {"FailedScheduledActions": failed}

    def _shown_start(self, action: ScheduledAction) -> datetime | None:
        return action.start_time or action.next_after(self.lab.at(self.now))

    def _put(self, group: Group, params: Params) -> None:
        name = required(params, "ScheduledActionName")
        if name not in group.scheduled_actions and len(group.scheduled_actions) >= MOST_ACTIONS:
            raise AwsError("LimitExceeded", f"You have already reached the limit of {MOST_ACTIONS} scheduled actions.")
        before = group.scheduled_actions.get(name)
        arn = (
            before.arn
            if before
            else group.arn_of("scheduledUpdateGroupAction", str(uuid.uuid4()), f":scheduledActionName/{name}")
        )
        action = _parse(params, name, arn)
        if action.next_after(self.lab.at(self.now)) is None:
            raise invalid("Given start time is in the past")
        group.scheduled_actions[name] = action


def _parse(params: Mapping[str, Any], name: str, arn: str) -> ScheduledAction:
    minimum, maximum, desired = (params.get(size) for size in ("MinSize", "MaxSize", "DesiredCapacity"))
    if minimum is maximum is desired is None:
        raise invalid("At least one of MinSize, MaxSize and DesiredCapacity must be specified.")
    if minimum is not None and maximum is not None:
        check_bounds(minimum, maximum)
    start = _aware(params.get("StartTime") or params.get("Time"))
    end = _aware(params.get("EndTime"))
    if start and end and end <= start:
        raise invalid("End time must be after start time.")
    recurrence = None
    if params.get("Recurrence"):
        try:
            recurrence = Recurrence.parse(params["Recurrence"])
        except ValueError as error:
            raise invalid(f"Given recurrence string: {params['Recurrence']} is invalid: {error}") from error
    elif start is None:
        raise invalid("Either a start time or a recurrence must be specified.")
    zone = params.get("TimeZone") or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise invalid(f"Time zone {zone} is not a name of the IANA time zone database.") from error
    return ScheduledAction(name, arn, minimum, maximum, desired, start, end, recurrence, zone)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _between(moment: datetime | None, first: datetime | None, last: datetime | None) -> bool:
    if moment is None:
        return first is None and last is None
    return (first is None or first <= moment) and (last is None or moment <= last)
