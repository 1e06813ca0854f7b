"""Operations on instance refreshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from groundschool.cloud.autoscaling.instance_refresh import InstanceRefresh, Preferences, RefreshStatus
from groundschool.cloud.autoscaling.operations.answers import refresh_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, unsupported
from groundschool.cloud.autoscaling.operations.group_settings import resolve_template
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result

_FIELDS = {
    "MinHealthyPercentage": "min_healthy_percentage",
    "MaxHealthyPercentage": "max_healthy_percentage",
    "InstanceWarmup": "instance_warmup",
    "SkipMatching": "skip_matching",
    "ScaleInProtectedInstances": "scale_in_protected_instances",
    "StandbyInstances": "standby_instances",
}
_UNSUPPORTED = ("CheckpointPercentages", "CheckpointDelay", "AutoRollback", "AlarmSpecification", "BakeTime")


class RefreshOperations(Asking):
    def start_instance_refresh(self, call: Call, params: Params) -> Result:
        """The desired configuration becomes the group's at once (AWS: when the refresh has succeeded)."""
        group = self.group_named(params)
        if params.get("Strategy", "Rolling") != "Rolling":
            raise invalid("The lab supports the Rolling strategy only.")
        if group.refresh is not None:
            raise AwsError(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
            )
        given = params.get("Preferences", {})
        preferences = _preferences(given)
        wanted = params.get("DesiredConfiguration") or {}
        unsupported(wanted, ("MixedInstancesPolicy",))
        if wanted.get("LaunchTemplate"):
            template = resolve_template(self.lab, wanted["LaunchTemplate"])
            group.settings = replace(group.settings, launch_template=template)
        refresh = InstanceRefresh(preferences, given, wanted or None, self.now)
        group.refreshes = [*group.refreshes[-99:], refresh]
        return {"InstanceRefreshId": refresh.refresh_id}

    def describe_instance_refreshes(self, call: Call, params: Params) -> Result:
        """The newest first."""
        group = self.group_named(params)
        ids = params.get("InstanceRefreshIds")
        found = [each for each in reversed(group.refreshes) if not ids or each.refresh_id in ids]
        refreshes, more = page(found, params)
        return {"InstanceRefreshes": [refresh_answer(self.lab, group, each) for each in refreshes], **more}

    def cancel_instance_refresh(self, call: Call, params: Params) -> Result:
        """What has been replaced stays replaced; what is on its way is waited for, unless told not to."""
        group = self.group_named(params)
        refresh = group.refresh
        if refresh is None or refresh.status is RefreshStatus.CANCELLING:
            raise AwsError(
                "ActiveInstanceRefreshNotFound",
                f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
            )
        if params.get("WaitForTransitioningInstances", True):
            refresh.status = RefreshStatus.CANCELLING
        else:
            refresh.end(RefreshStatus.CANCELLED, self.now, "Cancelled due to user request.")
        return {"InstanceRefreshId": refresh.refresh_id}


def _preferences(given: Mapping[str, Any]) -> Preferences:
    unsupported(dict(given), _UNSUPPORTED)
    preferences = Preferences(**{field: given[name] for name, field in _FIELDS.items() if name in given})
    least, most = preferences.min_healthy_percentage, preferences.max_healthy_percentage
    if not 0 <= least <= 100:
        raise invalid("MinHealthyPercentage must be between 0 and 100.")
    if not 100 <= most <= 200 or most - least > 100:
        raise invalid("MaxHealthyPercentage must be between 100 and 200, and at most 100 above MinHealthyPercentage.")
    _one_of("ScaleInProtectedInstances", preferences.scale_in_protected_instances, ("Refresh", "Ignore", "Wait"))
    _one_of("StandbyInstances", preferences.standby_instances, ("Terminate", "Ignore", "Wait"))
    return preferences


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}, not {value}.")
