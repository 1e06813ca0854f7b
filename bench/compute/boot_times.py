"""Launch to healthy: user data on the base image against the golden image of ``ground bake``.

Starts a lab of its own, builds the workshop in it, bakes, measures, and takes it down. Both kinds take turns, so that a
busy moment of the host hits both. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from groundschool.cloud.supervisor.lab_record import running_lab
from groundschool.workshop.bake import bake
from groundschool.workshop.world import World

NAME = "visitor-board"
POLL = 0.02
"""Real seconds."""


class Bench:
    def __init__(self) -> None:
        self.ec2, self.elbv2 = boto3.client("ec2"), boto3.client("elbv2")
        [self.group] = self.elbv2.describe_target_groups(Names=[NAME])["TargetGroups"]

    def launch_to_healthy(self, **image: str) -> tuple[float, float]:
        """Real seconds from RunInstances to ``running`` and to a healthy target; the instance is ended again."""
        started = time.monotonic()
        template = {"LaunchTemplateName": NAME}
        launched = self.ec2.run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1, **image)["Instances"]
        instance_id = launched[0]["InstanceId"]
        self._until(lambda: self._state(instance_id) == "running")
        running = time.monotonic() - started
        target = {"TargetGroupArn": self.group["TargetGroupArn"], "Targets": [{"Id": instance_id}]}
        self.elbv2.register_targets(**target)
        self._until(lambda: self._health(target) == "healthy")
        healthy = time.monotonic() - started
        self.elbv2.deregister_targets(**target)
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        self.ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1})
        return running, healthy

    def _state(self, instance_id: str) -> str:
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])

    def _health(self, target: dict[str, Any]) -> str:
        [row] = self.elbv2.describe_target_health(**target)["TargetHealthDescriptions"]
        return str(row["TargetHealth"]["State"])

    @staticmethod
    def _until(condition: Any) -> None:
        deadline = time.monotonic() + 180
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(POLL)


def ground(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "groundschool.cli", *words], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def lab(speed: int) -> Iterator[None]:
    """A lab with the workshop built, in a state folder of its own; this process's variables lead to it."""
    with tempfile.TemporaryDirectory(prefix="boot-times-") as home:
        os.environ.update(GROUND_HOME=home, GROUND_PORT=os.environ.get("GROUND_PORT", "4690"))
        ground("up", "--detach", "--speed", str(speed))
        try:
            ground("build")
            os.environ.update(running_lab(Path(home)).environment())
            yield
        finally:
            ground("down")


def measure(rounds: int) -> None:
    steps: list[tuple[str, float]] = []
    image = bake(World.from_environment(), lambda says, seconds: steps.append((says, seconds)))
    bench = Bench()
    seen: dict[str, list[tuple[float, float]]] = {"user data": [], "golden AMI": []}
    for _ in range(rounds):
        seen["user data"].append(bench.launch_to_healthy())
        seen["golden AMI"].append(bench.launch_to_healthy(ImageId=image.image_id))
    print("| Real seconds, median (least-most) | RunInstances to running | RunInstances to healthy |\n|---|---|---|")
    for kind, times in seen.items():
        columns = [sorted(column) for column in zip(*times, strict=True)]
        cells = [f"{statistics.median(each):.1f} ({each[0]:.1f}-{each[-1]:.1f})" for each in columns]
        print(f"| {kind} | {' | '.join(cells)} |")
    print(f"\n{rounds} launches of each kind. Baking: " + ", ".join(f"{says} {took:.1f} s" for says, took in steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="launches of each kind")
    parser.add_argument("--speed", type=int, default=20, help="of the lab's clock")
    given = parser.parse_args()
    with lab(given.speed):
        measure(given.rounds)


if __name__ == "__main__":
    main()
