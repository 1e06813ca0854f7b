"""Instances of a running lab, as a learner meets them: shell, failures, and a lab that stays usable."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Ground, wait_for

pytestmark = pytest.mark.lab

IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    command = Ground(tmp_path_factory.mktemp("lab") / "ground")
    assert command("up", "--detach", "--speed", "30").returncode == 0
    yield command
    assert command("down").returncode == 0
    assert command.processes() == []


def launch(ground: Ground, user_data: str, **options: str) -> str:
    words = ["ec2", "run-instances", "--image-id", IMAGE, "--user-data", user_data]
    words += [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    launched = ground.aws(*words, "--query", "Instances[0].InstanceId", "--output", "text")
    assert launched.returncode == 0, launched.stderr
    return launched.stdout.strip()


def console(ground: Ground, instance_id: str) -> str:
    answer = ground.aws("ec2", "get-console-output", "--instance-id", instance_id, "--output", "json")
    return str(json.loads(answer.stdout).get("Output", ""))


def test_user_data_runs_and_its_output_is_the_console(ground: Ground) -> None:
    instance_id = launch(ground, "#!/bin/bash\necho hello from $HOST")
    assert ground.aws("ec2", "wait", "instance-running", "--instance-ids", instance_id).returncode == 0
    wait_for(lambda: "hello from 127." in console(ground, instance_id), 20, "the greeting on the console")


def test_failing_user_data_shows_on_the_console_and_in_the_status_and_the_lab_stays_usable(ground: Ground) -> None:
    instance_id = launch(ground, "#!/bin/bash\necho about to fail >&2\nexit 3")
    wait_for(lambda: "failed with exit code 3" in ground("status", "--json").stdout, 20, "the failure in the status")
    assert "about to fail" in console(ground, instance_id)
    assert ground.aws("ec2", "terminate-instances", "--instance-ids", instance_id).returncode == 0
    assert ground.aws("ec2", "wait", "instance-terminated", "--instance-ids", instance_id).returncode == 0


def test_a_shell_is_inside_the_instance(ground: Ground) -> None:
    instance_id = launch(
        ground, "#!/bin/bash\ntrue", tag_specifications="ResourceType=instance,Tags=[{Key=Name,Value=box}]"
    )
    assert ground.aws("ec2", "wait", "instance-running", "--instance-ids", instance_id).returncode == 0
    inside = ground("shell", "box", "--", "/bin/sh", "-c", "echo $INSTANCE_ROOT; exit 7")
    assert inside.returncode == 7
    assert inside.stdout.strip() == str(ground.home / "instances" / instance_id)


def test_an_instance_without_a_profile_has_no_credentials(ground: Ground, tmp_path: Path) -> None:
    instance_id = launch(ground, "#!/bin/bash\naws s3 ls")
    wait_for(lambda: "Unable to locate credentials" in console(ground, instance_id), 30, "the refusal on the console")


def test_user_data_above_16_kb_is_refused(ground: Ground) -> None:
    refused = ground.aws("ec2", "run-instances", "--image-id", IMAGE, "--user-data", "#!/bin/sh\n#" + "x" * 16384)
    assert "User data is limited to 16384 bytes" in refused.stderr


def test_a_group_whose_app_never_gets_healthy_says_so_and_can_be_deleted(ground: Ground) -> None:
    def ok(*words: str) -> str:
        answer = ground.aws(*words, "--output", "text")
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    subnets = ok("ec2", "describe-subnets", "--query", "Subnets[:2].SubnetId").split()
    vpc = ok("ec2", "describe-vpcs", "--query", "Vpcs[0].VpcId")
    target_group = ok(
        *("elbv2", "create-target-group", "--name", "never", "--protocol", "HTTP", "--port", "8080", "--vpc-id", vpc),
        *("--health-check-interval-seconds", "5", "--query", "TargetGroups[0].TargetGroupArn"),
    )
    balancer = ok(
        *("elbv2", "create-load-balancer", "--name", "never", "--subnets", *subnets),
        *("--query", "LoadBalancers[0].LoadBalancerArn"),
    )
    ok(
        *("elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTP", "--port", "80"),
        *("--default-actions", f"Type=forward,TargetGroupArn={target_group}"),
    )
    script = base64.b64encode(b"#!/bin/sh\ntrue").decode()
    data = json.dumps({"ImageId": IMAGE, "InstanceType": "t3.micro", "UserData": script})
    ok("ec2", "create-launch-template", "--launch-template-name", "never", "--launch-template-data", data)
    ok(
        *("autoscaling", "create-auto-scaling-group", "--auto-scaling-group-name", "never", "--min-size", "1"),
        *("--max-size", "1", "--launch-template", "LaunchTemplateName=never", "--health-check-type", "ELB"),
        *("--health-check-grace-period", "60", "--vpc-zone-identifier", ",".join(subnets)),
        *("--target-group-arns", target_group),
    )

    def causes() -> str:
        return ok("autoscaling", "describe-scaling-activities", "--auto-scaling-group-name", "never")

    wait_for(lambda: "ELB system health check failure" in causes(), 60, "the replacement of the unhealthy instance")
    ok("autoscaling", "delete-auto-scaling-group", "--auto-scaling-group-name", "never", "--force-delete")
    wait_for(
        lambda: not ok("autoscaling", "describe-auto-scaling-groups", "--query", "AutoScalingGroups[].Instances[]"),
        60,
        "the end of the group",
    )
    assert ground("status").returncode == 0
