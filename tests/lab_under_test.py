"""A real lab for tests that speak boto3: started by its command line, ended with a check that nothing is left."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import boto3
import urllib3

from groundschool import endpoint
from groundschool.cloud.supervisor.lab_record import running_lab
from tests.lab.conftest import Ground, wait_for

IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
SOON = {"Delay": 1, "MaxAttempts": 60}
"""WaiterConfig: boto3's own delays are AWS's 15 seconds."""

SERVE = """#!/bin/bash
mkdir -p $INSTANCE_ROOT/opt/web $INSTANCE_ROOT/etc/systemd/system
echo "$(date +%s%N)" >> $INSTANCE_ROOT/opt/boots
[ -f $INSTANCE_ROOT/opt/web/index.html ] || { sleep 2; echo hello > $INSTANCE_ROOT/opt/web/index.html; }
cat > $INSTANCE_ROOT/etc/systemd/system/web.service <<'END'
[Unit]
Description=Web
[Service]
ExecStart=/bin/sh -c 'exec python3 -m http.server 8080 --bind $HOST --directory $INSTANCE_ROOT/opt/web'
Restart=always
[Install]
WantedBy=multi-user.target
END
systemctl enable --now web
echo user data is done
"""
"""A web server that takes a while to install, unless it is here already."""


class LabUnderTest:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        record = running_lab(ground.home)
        self.environment = record.environment()
        session = boto3.Session(
            aws_access_key_id=record.access_key_id,
            aws_secret_access_key=record.secret_access_key,
            region_name=record.region,
        )
        self.client: Callable[..., Any] = lambda service, **options: session.client(
            service, endpoint_url=record.url, **options
        )
        self.ec2 = self.client("ec2")

    @classmethod
    @contextmanager
    def started(cls, home: Path, speed: int) -> Iterator[Self]:
        ground = Ground(home)
        up = ground("up", "--detach", "--speed", str(speed))
        assert up.returncode == 0, up.stderr
        try:
            yield cls(ground)
        finally:
            down = ground("down")
            assert down.returncode == 0, down.stderr
            assert ground.processes() == []

    def run(self, count: int = 1, **options: Any) -> list[str]:
        """Instances on the default image, unless told otherwise; their ids."""
        given = {"ImageId": IMAGE, "InstanceType": "t3.small", "MinCount": count, "MaxCount": count, **options}
        return [each["InstanceId"] for each in self.ec2.run_instances(**given)["Instances"]]

    def instance(self, instance_id: str) -> dict[str, Any]:
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        [found] = reservation["Instances"]
        return found

    def wait(self, waiter: str, **what: Any) -> None:
        self.ec2.get_waiter(waiter).wait(**what, WaiterConfig=SOON)

    def wait_until_booted(self, instance_id: str) -> None:
        wait_for(lambda: self.status_of(instance_id)["user_data"] not in ("off", "booting"), 60, "user data")

    def status(self) -> dict[str, Any]:
        return json.loads(self.ground("status", "--json").stdout)

    def status_of(self, instance_id: str) -> dict[str, Any]:
        return next(each for each in self.status()["instances"] if each["id"] == instance_id)

    def console(self, instance_id: str) -> str:
        output = self.ec2.get_console_output(InstanceId=instance_id)["Output"]
        return output if "\n" in output else base64.b64decode(output).decode()

    def shell(self, instance_id: str, script: str) -> str:
        done = self.ground("shell", instance_id, "--", "/bin/bash", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def open_group(self, *ports: int) -> str:
        """A security group that admits everybody to the ports."""
        name = f"open-{time.monotonic_ns()}"
        group_id = self.ec2.create_security_group(GroupName=name, Description="for a test")["GroupId"]
        for port in ports:
            self.ec2.authorize_security_group_ingress(
                GroupId=group_id, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0"
            )
        return str(group_id)


def get(url: str, timeout: float = 5.0) -> endpoint.Answer:
    """Status 0 when there is no answer in time."""
    try:
        return endpoint.fetch(url, timeout=timeout)
    except (OSError, urllib3.exceptions.HTTPError):
        return endpoint.Answer(0, {}, b"", 0.0)
