"""Deals the blows to the workshop's system, remembers them, and watches how many targets stay healthy."""

from __future__ import annotations

import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from tests.chaos.explanation import HealthSample, Wound
from tests.chaos.schedule import Blow, Event
from tests.lab.conftest import wait_for
from tests.lab_under_test import LabUnderTest

GROUP = "visitor-board"
START = 4
LOOK = 0.25
"""Real seconds between two looks at the targets' health."""


class Havoc:
    def __init__(self, lab: LabUnderTest) -> None:
        self._lab = lab
        self._autoscaling, self._elbv2 = lab.client("autoscaling"), lab.client("elbv2")
        self._target_group = self._elbv2.describe_target_groups(Names=[GROUP])["TargetGroups"][0]["TargetGroupArn"]
        [balancer] = self._elbv2.describe_load_balancers(Names=[GROUP])["LoadBalancers"]
        self.url = f"http://{balancer['DNSName']}"
        self.wounds: list[Wound] = []
        self.samples: list[HealthSample] = []
        self.told: list[str] = []
        self._zones_out: list[str] = []

    def prepare(self) -> None:
        """Four healthy targets, and nobody but the schedule who changes the group's size."""
        self._autoscaling.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["AlarmNotification"])
        self._set_capacity(START)
        wait_for(lambda: len(self.healthy()) >= START, 120, f"{START} healthy targets")

    def healthy(self) -> list[str]:
        rows = self._elbv2.describe_target_health(TargetGroupArn=self._target_group)["TargetHealthDescriptions"]
        found = sorted(row["Target"]["Id"] for row in rows if row["TargetHealth"]["State"] == "healthy")
        self.samples.append(HealthSample(time.time(), len(found)))
        return found

    def watch_for(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.healthy()
            time.sleep(min(LOOK, max(0.0, ends - time.monotonic())))

    def strike(self, event: Event) -> str:
        """One blow; what was done, in words."""
        deeds: dict[Blow, Callable[[Event], str]] = {
            Blow.KILL: lambda event: self._wound("kill", event),
            Blow.HANG: lambda event: self._wound("hang", event),
            Blow.ZONE_OUTAGE: self._zone_outage,
            Blow.MEND: lambda _: self.mend(),
            Blow.SCALE: lambda event: self._set_capacity(event.capacity),
            Blow.REFRESH: lambda _: self._refresh(),
        }
        told = deeds[event.blow](event)
        self.told.append(told)
        return told

    def mend(self) -> str:
        done = self._lab.ground("fault", "clear")
        assert done.returncode == 0, done.stderr
        for wound in self.wounds:
            if wound.until is None and wound.kind != "kill":
                wound.until = time.time()
        self._zones_out.clear()
        return "clear"

    def _wound(self, kind: str, event: Event) -> str:
        """Only while another one can take over: a system without a spare is not what is tested."""
        healthy = self.healthy()
        if len(healthy) < 2:
            return f"{kind}: nobody, only {len(healthy)} healthy"
        victim = healthy[int(event.draw * len(healthy))]
        self.wounds.append(Wound(victim, kind, time.time()))
        done = self._lab.ground("fault", kind, victim)
        return f"{kind} {victim}" if done.returncode == 0 else f"{kind}: {done.stderr.strip()}"

    def _zone_outage(self, event: Event) -> str:
        """One zone at a time: a system in two zones is not meant to survive the loss of both."""
        if self._zones_out:
            return f"az-outage: none, {self._zones_out[0]} is out already"
        healthy = self.healthy()
        zones = sorted({each["availability_zone"] for each in self._running() if each["id"] in healthy})
        if len(zones) < 2:
            return f"az-outage: none, all healthy targets are in {' '.join(zones)}"
        zone, since = zones[int(event.draw * len(zones))], time.time()
        done = self._lab.ground("fault", "az-outage", zone)
        assert done.returncode == 0, done.stderr
        self._zones_out.append(zone)
        # Looked at afterwards: what was launched until the last moment is hit too, and nothing is launched any more.
        struck = [each["id"] for each in self._running() if each["availability_zone"] == zone]
        self.wounds += [Wound(instance_id, "az-outage", since) for instance_id in struck]
        return f"az-outage {zone}: {len(struck)} instances"

    def _running(self) -> list[dict[str, str]]:
        return [each for each in self._lab.status()["instances"] if each["state"] in ("pending", "running")]

    def _set_capacity(self, capacity: int) -> str:
        self._autoscaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=capacity)
        return f"desired capacity {capacity}"

    def _refresh(self) -> str:
        preferences = {"MinHealthyPercentage": 50, "InstanceWarmup": 30}
        try:
            self._autoscaling.start_instance_refresh(AutoScalingGroupName=GROUP, Preferences=preferences)
        except ClientError as error:
            return f"instance refresh: {error.response['Error']['Code']}"
        return "instance refresh"
