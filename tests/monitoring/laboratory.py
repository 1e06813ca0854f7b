"""A CloudWatch on a clock that the test moves, with every answer checked against botocore's service model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

from groundschool.clock import Clock
from groundschool.cloud.call import Call
from groundschool.cloud.monitoring.alarms import AlarmBook, MetricAlarm
from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey, MetricStore
from groundschool.cloud.monitoring.operations import CloudWatch
from groundschool.controlloop.alarm import AlarmDecision

START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = botocore.session.get_session().get_service_model("cloudwatch")
CPU = MetricKey("AWS/EC2", "CPUUtilization", frozenset({("AutoScalingGroupName", "asg")}))


@dataclass
class Laboratory:
    """Speed 10. ``now`` is in lab seconds."""

    now: float = 0.0
    acted: list[tuple[float, MetricAlarm, AlarmDecision]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock(10, monotonic=lambda: self.now / 10, wall=START.timestamp)
        self.store = MetricStore()
        self.alarms = AlarmBook(self.store, self.clock, self.on_alarm)
        self.cloudwatch = CloudWatch(self.clock, self.store, self.alarms)

    def on_alarm(self, alarm: MetricAlarm, decision: AlarmDecision) -> None:
        self.acted.append((self.now, alarm, decision))

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        """Calls an operation as boto3 would; input and output must fit the service model."""
        model = MODEL.operation_model(operation)
        assert not ParamValidator().validate(params, model.input_shape).has_errors()
        call = Call("cloudwatch", operation, "eu-north-1", "123456789012", None)
        result = getattr(self.cloudwatch, xform_name(operation))(call, params)
        if model.output_shape is None:
            assert result == {}
        else:
            assert set(result) <= set(model.output_shape.members)
            errors = ParamValidator().validate(result, model.output_shape)
            assert not errors.has_errors(), errors.generate_report()
        return result

    def minutes(self, *values: float | None, key: MetricKey = CPU) -> None:
        """One value per lab minute from now on (None: no data); evaluates the alarms after each."""
        for value in values:
            if value is not None:
                self.store.put([MetricData(key, self.now, (value,))])
            self.now += 60
            self.alarms.evaluate(self.now)

    def real(self, lab_seconds: float) -> datetime:
        return START + timedelta(seconds=lab_seconds / 10)
