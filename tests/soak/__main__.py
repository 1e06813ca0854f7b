"""``make soak``: one lab hour of scaling out and in under load; then memory, descriptors and folders must be as before.

Capacity is set by SetDesiredCapacity, so that every cycle is the same; the load is real requests to the board through
the balancer all the time, and alarms are evaluated on its metrics but do not act. Exits with 1 when the lab leaks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from groundschool.cloud.network.envoy.data_plane import EVENT_LOG_LIMIT, PROCESS_LOG_LIMIT, REQUEST_LOG_LIMIT
from groundschool.traffic.destination import base_url, destination
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings
from tests.lab.conftest import wait_for
from tests.lab_under_test import LabUnderTest
from tests.soak.measurement import MB, Measurement, measure
from tests.soak.verdict import LEAST, leaks

GROUP = "visitor-board"
REST, BUSY = 2, 6
"""Desired capacities between which every cycle goes."""
LOG_LIMIT = 2 * (EVENT_LOG_LIMIT + PROCESS_LOG_LIMIT) + REQUEST_LOG_LIMIT + 8 * MB
"""Bytes: each log and its predecessor, as the data plane rotates them, and what the supervisor itself says."""
GRACE_PERIOD = 3600
"""Lab seconds. A boot takes real seconds: at speed 60 the design's 300 s are five of them, and the group would replace
what is still booting for ever, as on AWS."""
PATIENCE = 120.0
"""Real seconds for one half of a cycle."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--lab-minutes", type=float, default=60.0)
    parser.add_argument("--speed", type=int, default=60)
    parser.add_argument("--rate", type=float, default=10.0, help="requests per second, every tenth a post")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ground-soak-") as folder:
        home = Path(folder) / "ground"
        with LabUnderTest.started(home, asked.speed) as lab:
            built = lab.ground("build", timeout=300)
            assert built.returncode == 0, built.stderr
            return run(Soak(lab, home), asked.lab_minutes, asked.speed, asked.rate)


def run(soak: Soak, lab_minutes: float, speed: int, rate: float) -> int:
    endpoint = destination(soak.url)
    settings = LoadSettings(
        base_url=base_url(endpoint), host_header=endpoint.host_header, shape=LoadShape.constant(rate)
    )
    measured: list[Measurement] = []
    with LoadRun(settings) as load:
        soak.scale(REST)
        started, launched = time.monotonic(), 0
        passed = 0.0
        while passed < lab_minutes or len(measured) < LEAST:
            soak.scale(BUSY)
            soak.scale(REST)
            launched += BUSY - REST
            passed = (time.monotonic() - started) * speed / 60
            measured.append(measure(soak.home, passed, launched))
            print(f"{passed:5.0f} lab minutes, {launched} instances launched and ended", flush=True)
        report = load.stop()
    print(*table(measured), sep="\n")
    print(f"Requests: {report.requests}, failed: {report.failed} {report.failures or ''}")
    found = [*leaks(measured, LOG_LIMIT), *soak.complaints()]
    for each in found:
        print(f"✗ {each}")
    if not found:
        print(f"✓ Nothing leaks in {measured[-1].lab_minutes:.0f} lab minutes")
    return 1 if found else 0


class Soak:
    """One lab that goes out and in."""

    def __init__(self, lab: LabUnderTest, home: Path) -> None:
        self._lab, self.home = lab, home
        self._autoscaling, self._elbv2 = lab.client("autoscaling"), lab.client("elbv2")
        self._target_group = self._elbv2.describe_target_groups(Names=[GROUP])["TargetGroups"][0]["TargetGroupArn"]
        [balancer] = self._elbv2.describe_load_balancers(Names=[GROUP])["LoadBalancers"]
        self.url = f"http://{balancer['DNSName']}"
        self._autoscaling.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["AlarmNotification"])
        self._autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, HealthCheckGracePeriod=GRACE_PERIOD)

    def scale(self, capacity: int) -> None:
        """Returns when so many serve, and nothing is on its way in or out."""
        self._autoscaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=capacity)
        wait_for(lambda: self._settled(capacity), PATIENCE, f"a group of {capacity} with nothing on its way")

    def complaints(self) -> list[str]:
        """What the supervisor logged as failed, and what it is in trouble with now."""
        logged = (self.home / "supervisor.log").read_text().splitlines()
        errors = [line for line in logged if " ERROR " in line]
        troubles = [f"{part}: {error}" for part, error in self._lab.status()["lab"]["troubles"].items()]
        return [f"the supervisor logged: {line}" for line in errors] + troubles

    def _settled(self, capacity: int) -> bool:
        [group] = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
        members = {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}
        rows = self._elbv2.describe_target_health(TargetGroupArn=self._target_group)["TargetHealthDescriptions"]
        targets = {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows}
        states = {each["state"] for each in self._lab.status()["instances"]}
        return (
            len(members) == capacity
            and set(members.values()) == {"InService"}
            and targets == dict.fromkeys(members, "healthy")
            and states <= {"running", "terminated"}
            and len(list((self.home / "instances").iterdir())) == capacity + 1  # and the one of session 1
        )


def table(measured: Sequence[Measurement]) -> Iterator[str]:
    """Markdown, to be pasted into docs/soak.md."""
    columns = (
        *("Lab minutes", "Instances ended", "RSS MB", "USS MB", "Descriptors", "Threads", "Envoy MB", "Store MB"),
        *("Processes", "Folders", "Control groups", "Logs MB"),
    )
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---:|" * len(columns)
    for each in measured:
        memory = (each.resident, each.private, each.envoy_resident, each.store_resident, each.log_bytes)
        resident, private, envoy, store, logs = (f"{size / MB:.1f}" for size in memory)
        row = (
            *(f"{each.lab_minutes:.0f}", each.ended, resident, private, each.descriptors, each.threads, envoy, store),
            *(each.processes, each.folders, each.control_groups, logs),
        )
        yield "| " + " | ".join(map(str, row)) + " |"


if __name__ == "__main__":
    sys.exit(main())
