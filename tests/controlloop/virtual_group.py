"""An Auto Scaling group in virtual time, one second per step, driven by the functions under test.

Everything that decides is the control loop's; this file only keeps the state and does what is decided. A CPU load per
instance comes in, (time, from, to, reason) and alarm transitions come out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from groundschool.controlloop import several_policies, target_tracking, termination, warm_up
from groundschool.controlloop.alarm import Alarm, AlarmState, Datapoint, evaluate
from groundschool.controlloop.decision import Capacity, Decision, Reason
from groundschool.controlloop.instance import GroupInstance, Lifecycle
from groundschool.controlloop.several_policies import Vote
from groundschool.controlloop.target_tracking import PolicyAlarms, Seen, TargetTrackingPolicy
from groundschool.controlloop.tracked_metric import PredefinedMetric, predefined

Load = Callable[[float, int, int], float]
"""(time, index of the instance in order of launch, number of instances in service) -> CPU percent."""


SAMPLED_EVERY = 5
"""Seconds between two looks at an instance's load."""


@dataclass(frozen=True)
class Setup:
    """Times are seconds since midnight. ``published_every`` 300 is basic monitoring, 60 detailed."""

    target: float
    minimum: int
    maximum: int
    desired: int
    load: Load
    warm_up: float = 300.0
    launch_takes: float = 30.0
    published_every: int = 60
    published_at: int = 0
    """When in its period a value is published, in seconds."""
    high_evaluated_at: int = 0
    """The second of the minute at which AlarmHigh is evaluated; every alarm has its own."""
    low_evaluated_at: int = 0
    other_policy: Load | None = None
    """A second policy's metric with the same target, given directly."""


@dataclass(frozen=True)
class Rules:
    """What decides: the control loop's own functions. A negative control puts a wrong rule in the place of one."""

    alarms_of: Callable[[TargetTrackingPolicy, int], PolicyAlarms] = lambda policy, desired: target_tracking.alarms_of(
        policy, "asg", desired, "h", "l"
    )
    decide: Callable[[TargetTrackingPolicy, Seen], Decision] = target_tracking.decide
    heeds_warm_up: bool = True
    acts_again: bool = True
    """An alarm that stays in ALARM acts once per minute, not only when it goes there."""


THE_CONTROL_LOOP = Rules()


@dataclass(frozen=True)
class Change:
    at: float
    before: int
    after: int
    reason: Reason


@dataclass(frozen=True)
class Transition:
    at: float
    alarm: str
    state: AlarmState


@dataclass
class Tracker:
    """A policy, the datapoints of its metric and the states of its alarms."""

    policy: TargetTrackingPolicy
    datapoints: list[Datapoint] = field(default_factory=list)
    averaged_over: int = 0
    """The number of instances in the newest datapoint."""
    high: AlarmState = AlarmState.INSUFFICIENT_DATA
    low: AlarmState = AlarmState.INSUFFICIENT_DATA


@dataclass
class VirtualGroup:
    setup: Setup
    rules: Rules = THE_CONTROL_LOOP
    desired: int = 0
    instances: list[GroupInstance] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    trackers: list[Tracker] = field(default_factory=list)

    def run(self, start: float, end: float) -> VirtualGroup:
        self.desired = self.setup.desired
        self.instances = [
            GroupInstance(f"i-{n}", "a", launched_at=start - 3600, in_service_since=start - 3600)
            for n in range(self.desired)
        ]
        metric = predefined(PredefinedMetric.CPU, "asg")
        names = ["cpu"] if self.setup.other_policy is None else ["cpu", "other"]
        self.trackers = [Tracker(TargetTrackingPolicy(name, self.setup.target, metric)) for name in names]
        for now in range(int(start), int(end)):
            self._become_in_service(now)
            self._publish(now)
            if now % 60 in (self.setup.high_evaluated_at, self.setup.low_evaluated_at):
                self._evaluate(now)
            if now % SAMPLED_EVERY == 0:
                self._burn(now)
        return self

    def _serving(self) -> list[GroupInstance]:
        return [i for i in self.instances if i.lifecycle is Lifecycle.IN_SERVICE]

    def _become_in_service(self, now: float) -> None:
        for n, instance in enumerate(self.instances):
            if instance.lifecycle is Lifecycle.PENDING and instance.launched_at + self.setup.launch_takes <= now:
                self.instances[n] = replace(instance, lifecycle=Lifecycle.IN_SERVICE, in_service_since=now)

    def _burn(self, now: float) -> None:
        serving = self._serving()
        for n, instance in enumerate(serving):
            self.cpu.setdefault(instance.instance_id, []).append(self.setup.load(now, n, len(serving)))

    def _warming(self, now: float) -> list[GroupInstance]:
        if not self.rules.heeds_warm_up:
            return []
        return [i for i in self.instances if warm_up.is_warming(i, self.setup.warm_up, now)]

    def _publish(self, now: float) -> None:
        if now % self.setup.published_every != self.setup.published_at:
            return
        values = [
            sum(samples) / len(samples)
            for instance in self._serving()
            if instance not in self._warming(now) and (samples := self.cpu.get(instance.instance_id))
        ]
        self.cpu.clear()
        at = (now - 1) // 60 * 60
        if values:
            self._add(self.trackers[0], Datapoint(at, sum(values) / len(values)), len(values))
        if self.setup.other_policy is not None:
            value = self.setup.other_policy(at, 0, len(self._serving()))
            self._add(self.trackers[1], Datapoint(at, value), len(self._serving()))

    def _add(self, tracker: Tracker, datapoint: Datapoint, averaged_over: int) -> None:
        tracker.datapoints.append(datapoint)
        tracker.averaged_over = averaged_over

    def _evaluate(self, now: float) -> None:
        warming = len(self._warming(now))
        capacity = Capacity(self.desired, self.setup.minimum, self.setup.maximum, warming=warming)
        votes = [Vote(tracker.policy.name, self._vote(tracker, capacity, now)) for tracker in self.trackers]
        decision = several_policies.combine(votes, capacity).decision
        if decision.changes(capacity):
            self._carry_out(decision.desired, decision.reason, now)

    def _vote(self, tracker: Tracker, capacity: Capacity, now: float) -> Decision:
        """The policy's decision. The alarm that is evaluated at this second is the one that acts."""
        alarms = self.rules.alarms_of(tracker.policy, self.desired)
        assert alarms.low is not None
        high = low = AlarmState.OK
        if now % 60 == self.setup.high_evaluated_at:
            before, tracker.high = tracker.high, self._judge(alarms.high, tracker, tracker.high, now)
            high = tracker.high if self.rules.acts_again or tracker.high is not before else AlarmState.OK
        if now % 60 == self.setup.low_evaluated_at:
            before, tracker.low = tracker.low, self._judge(alarms.low, tracker, tracker.low, now)
            low = tracker.low if self.rules.acts_again or tracker.low is not before else AlarmState.OK
        if not tracker.datapoints:
            return self.rules.decide(tracker.policy, Seen(capacity, None, high, low))
        seen = Seen(capacity, tracker.datapoints[-1].value, high, low, tracker.averaged_over)
        return self.rules.decide(tracker.policy, seen)

    def _judge(self, alarm: Alarm, tracker: Tracker, state: AlarmState, now: float) -> AlarmState:
        found = evaluate(alarm, tracker.datapoints, state, now)
        if found.state is not state:
            self.transitions.append(Transition(now, f"{tracker.policy.name} {alarm.name.split('-')[2]}", found.state))
        return found.state

    def _carry_out(self, desired: int, reason: Reason, now: float) -> None:
        self.changes.append(Change(now, self.desired, desired, reason))
        for n in range(self.desired, desired):
            self.instances.append(GroupInstance(f"i-{now}-{n}", "a", Lifecycle.PENDING, launched_at=now))
        for _ in range(desired, self.desired):
            gone = termination.choose_instance(self.instances, lambda equals: equals[-1], now).instance_id
            self.instances = [i for i in self.instances if i.instance_id != gone]
        self.desired = desired
