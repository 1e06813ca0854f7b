from __future__ import annotations

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.monitoring.alarms import Actions, MetricAlarm
from groundschool.cloud.monitoring.metric_query import MetricStatistic
from groundschool.controlloop.alarm import Alarm, AlarmReason, AlarmState, Comparison

from .laboratory import CPU, Laboratory

ACTION = "arn:aws:autoscaling:eu-north-1:123456789012:scalingPolicy:1:autoScalingGroupName/asg:policyName/cpu50"


def put(lab: Laboratory, name: str = "high", actions: tuple[str, ...] = (ACTION,), enabled: bool = True) -> None:
    alarm = Alarm(name, 50, Comparison.GREATER, evaluation_periods=3)
    metric = MetricStatistic(CPU, "Average", 60)
    lab.alarms.put(MetricAlarm(alarm, metric, actions=Actions(enabled, alarm=actions)), lab.now)


def state(lab: Laboratory, name: str = "high") -> AlarmState:
    alarm = lab.alarms.get(name)
    assert alarm is not None
    return alarm.state


def test_a_new_alarm_has_insufficient_data(lab):
    put(lab)
    assert state(lab) is AlarmState.INSUFFICIENT_DATA


def test_an_alarm_in_alarm_acts_at_every_evaluation(lab):
    put(lab)
    lab.minutes(80, 80, 80, 90, 90, 10)
    assert [(now, decision.metric) for now, _, decision in lab.acted] == [(180, 80), (240, 90), (300, 90)]
    assert state(lab) is AlarmState.OK


def test_the_action_sees_the_alarm_as_it_is_now(lab):
    put(lab)
    lab.minutes(80, 80, 80)
    _, alarm, _ = lab.acted[0]
    assert (alarm.state, alarm.state_updated_at) == (AlarmState.ALARM, 180)


@pytest.mark.parametrize("options", [{"actions": ()}, {"enabled": False}], ids=["none given", "disabled"])
def test_without_actions_nothing_acts(lab, options):
    put(lab, **options)
    lab.minutes(80, 80, 80)
    assert state(lab) is AlarmState.ALARM
    assert lab.acted == []


def test_putting_an_alarm_anew_keeps_its_state(lab):
    put(lab)
    lab.minutes(80, 80, 80)
    put(lab)
    assert state(lab) is AlarmState.ALARM


def test_a_state_set_by_hand_holds_until_the_next_evaluation(lab):
    put(lab)
    lab.minutes(10, 10, 10)
    lab.alarms.set_state("high", AlarmState.ALARM, "a drill", None, lab.now)
    assert state(lab) is AlarmState.ALARM
    lab.minutes(10)
    assert state(lab) is AlarmState.OK


def test_setting_alarm_by_hand_acts_at_once_with_the_metric_as_it_is(lab):
    put(lab)
    lab.minutes(10, 20)
    lab.alarms.set_state("high", AlarmState.ALARM, "a drill", None, lab.now)
    _, alarm, decision = lab.acted[0]
    assert (alarm.state_reason, decision.reason, decision.metric) == ("a drill", AlarmReason.SET_BY_HAND, 20)


def test_an_action_may_delete_and_put_alarms_of_the_book(lab):
    put(lab, "a")
    put(lab, "b")

    def swap(alarm, decision):
        lab.acted.append((lab.now, alarm, decision))
        if alarm.name == "a":
            lab.alarms.delete(["a", "b"], lab.now)
            put(lab, "c")

    lab.alarms._on_alarm = swap
    lab.minutes(80, 80, 80)
    assert [alarm.name for _, alarm, _ in lab.acted] == ["a"]
    assert [alarm.name for alarm in lab.alarms.all()] == ["c"]


def test_an_action_sees_this_minutes_states_of_all_alarms(lab):
    put(lab, "a")
    put(lab, "b")
    seen = []
    lab.alarms._on_alarm = lambda alarm, decision: seen.append((alarm.name, state(lab, "b")))
    lab.minutes(80, 80, 80)
    assert seen == [("a", AlarmState.ALARM), ("b", AlarmState.ALARM)]


def test_deleting_is_all_or_nothing(lab):
    put(lab)
    with pytest.raises(AwsError, match="ResourceNotFound"):
        lab.alarms.delete(["high", "nobody"], lab.now)
    assert state(lab)


def test_the_history_tells_what_happened(lab):
    put(lab)
    lab.minutes(80, 80, 80, 10)
    lab.alarms.delete(["high"], lab.now)
    assert [item.summary for item in lab.alarms.history()] == [
        'Alarm "high" created',
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
        'Alarm "high" deleted',
    ]
