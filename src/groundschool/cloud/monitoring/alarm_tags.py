"""Tags of alarms. AWS: PutMetricAlarm sets them when it makes an alarm, and ignores them when it changes one."""

from __future__ import annotations

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.monitoring.alarms import AlarmBook


class AlarmTags:
    """Handlers named after botocore's operations. Not locked: the lab calls them under its one lock."""

    def __init__(self, alarms: AlarmBook) -> None:
        self._alarms = alarms
        self._tags: dict[str, dict[str, str]] = {}
        """Alarm name -> its tags."""

    def made(self, name: str, params: Params) -> None:
        """An alarm of this name was not there before."""
        self._tags[name] = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}

    def tags_by_alarm(self) -> dict[str, dict[str, str]]:
        """Of the alarms there are, by name."""
        return {alarm.name: dict(self._tags.get(alarm.name, {})) for alarm in self._alarms.all()}

    def list_tags_for_resource(self, _call: Call, params: Params) -> Result:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._of(params["ResourceARN"]).items()]}

    def tag_resource(self, _call: Call, params: Params) -> Result:
        self._of(params["ResourceARN"]).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def untag_resource(self, _call: Call, params: Params) -> Result:
        tags = self._of(params["ResourceARN"])
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _of(self, arn: str) -> dict[str, str]:
        name = arn.partition(":alarm:")[2]
        if name not in {alarm.name for alarm in self._alarms.all()}:
            raise AwsError("ResourceNotFoundException", f"{arn} not found", 404)
        return self._tags.setdefault(name, {})
