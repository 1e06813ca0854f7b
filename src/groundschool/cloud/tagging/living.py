"""The tags of what is alive in the lab: instances, alarms, tables.

Auto Scaling groups are not among them. AWS: "Services that support the Resource Groups Tagging API" says of Auto
Scaling that GetResources, GetTagKeys and GetTagValues "return an empty response for this service".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.tagging.tagged_resource import TaggedResource

AllTags = Callable[[], Mapping[str, Mapping[str, str]]]
"""Tags by name or ARN."""


class LivingResources:
    """Of the lab's one region; a source of :class:`~groundschool.cloud.tagging.operations.TaggingOperations`.

    ``alarms`` by name, ``tables`` by ARN.
    """

    def __init__(self, region: str, account_id: str, instances: Instances, alarms: AllTags, tables: AllTags) -> None:
        self._region = region
        self._account_id = account_id
        self._instances = instances
        self._alarms = alarms
        self._tables = tables

    def __call__(self, region: str) -> Iterator[TaggedResource]:
        """Terminated instances too, as long as EC2 describes them: AWS names them for a while."""
        if region != self._region:
            return
        for instance in self._instances.select(()):
            arn = f"arn:aws:ec2:{region}:{self._account_id}:instance/{instance.instance_id}"
            yield TaggedResource(arn, dict(instance.tags))
        for name, tags in self._alarms().items():
            yield TaggedResource(f"arn:aws:cloudwatch:{region}:{self._account_id}:alarm:{name}", tags)
        for arn, tags in self._tables().items():
            yield TaggedResource(arn, tags)
