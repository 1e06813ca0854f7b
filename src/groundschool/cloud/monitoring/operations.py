"""The CloudWatch API of the lab."""

from __future__ import annotations

from groundschool.clock import Clock
from groundschool.cloud.monitoring.alarm_operations import AlarmOperations
from groundschool.cloud.monitoring.alarm_tags import AlarmTags
from groundschool.cloud.monitoring.alarms import AlarmBook
from groundschool.cloud.monitoring.metric_operations import MetricOperations
from groundschool.cloud.monitoring.metric_store import MetricStore


class CloudWatch(MetricOperations, AlarmOperations, AlarmTags):
    """Handlers ``(call, params) -> result`` in boto3's shapes, found by the front door by botocore's operation names.

    ``Period`` is in lab seconds; ``StartTime``, ``EndTime`` and every timestamp are real times (see
    :mod:`groundschool.clock`): at speed 10, the last ten real minutes hold one hundred datapoints of a 60 s period.
    Not locked: the lab calls everything under its one lock.
    """

    def __init__(self, clock: Clock, store: MetricStore, alarms: AlarmBook) -> None:
        MetricOperations.__init__(self, clock, store)
        AlarmTags.__init__(self, alarms)
        AlarmOperations.__init__(self, clock, alarms, self.made)
