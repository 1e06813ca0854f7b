"""Launch to healthy: user data on the base image against an image with everything baked in.

Needs a lab with the workshop built (``ground up --detach && ground build``), with its variables in the environment
(``eval "$(ground env)"``). Both kinds take turns, so that a busy moment of the host hits both. Prints Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import boto3

NAME = "visitor-board"
POLL = 0.02
"""Real seconds."""


class Bench:
    def __init__(self) -> None:
        self.ec2, self.elbv2 = boto3.client("ec2"), boto3.client("elbv2")
        [self.group] = self.elbv2.describe_target_groups(Names=[NAME])["TargetGroups"]

    def bake(self) -> tuple[str, float]:
        """An image of a member of the group, and the real seconds until it was available."""
        wanted = [{"Name": "tag:aws:autoscaling:groupName", "Values": [NAME]}]
        running = [*wanted, {"Name": "instance-state-name", "Values": ["running"]}]
        source = self.ec2.describe_instances(Filters=running)["Reservations"][0]["Instances"][0]["InstanceId"]
        started = time.monotonic()
        image_id = self.ec2.create_image(InstanceId=source, Name=f"golden-{time.time_ns()}", NoReboot=True)["ImageId"]
        while (image := self.ec2.describe_images(ImageIds=[image_id])["Images"][0])["State"] == "pending":
            time.sleep(POLL)
        assert image["State"] == "available", image
        return image_id, time.monotonic() - started

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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    bench = Bench()
    image_id, baking = bench.bake()
    seen: dict[str, list[tuple[float, float]]] = {"user data": [], "golden AMI": []}
    for _ in range(rounds):
        seen["user data"].append(bench.launch_to_healthy())
        seen["golden AMI"].append(bench.launch_to_healthy(ImageId=image_id))
    print("| Real seconds, median (least-most) | RunInstances to running | RunInstances to healthy |\n|---|---|---|")
    for kind, times in seen.items():
        columns = [sorted(column) for column in zip(*times, strict=True)]
        cells = [f"{statistics.median(each):.1f} ({each[0]:.1f}-{each[-1]:.1f})" for each in columns]
        print(f"| {kind} | {' | '.join(cells)} |")
    print(f"\nBaking the image (CreateImage to available, NoReboot): {baking:.1f} s. {rounds} launches of each kind.")


if __name__ == "__main__":
    main()
