"""``ground up`` and ``ground down``: the lab starts with one clear line or fails with one, and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import textwrap
from pathlib import Path

import boto3
import pytest

from groundschool.cloud.settings import lab_settings
from tests.lab.conftest import Ground, wait_for

pytestmark = pytest.mark.lab


def test_up_serves_plain_aws_and_boto3_and_down_leaves_nothing(ground: Ground) -> None:
    up = ground("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "✓ The lab is ready at" in up.stdout
    identity = ground.aws("sts", "get-caller-identity", "--output", "json")
    assert json.loads(identity.stdout)["Account"] == "123456789012"
    record = json.loads((ground.home / "lab.json").read_text())
    ec2 = boto3.client(
        "ec2",
        endpoint_url=record["url"],
        region_name=record["region"],
        aws_access_key_id=record["access_key_id"],
        aws_secret_access_key=record["secret_access_key"],
    )
    assert {subnet["AvailabilityZone"] for subnet in ec2.describe_subnets()["Subnets"]} >= {
        "eu-north-1a",
        "eu-north-1b",
    }

    down = ground("down")

    assert down.returncode == 0, down.stderr
    assert "✓ Nothing is left running" in down.stdout
    assert ground.processes() == []
    assert {path.name for path in ground.home.iterdir()} <= {"lab.lock", "lab.log", "supervisor.log"}


def test_the_credentials_of_a_lab_are_for_its_owner_only(ground: Ground) -> None:
    assert ground("up", "--detach").returncode == 0
    assert stat.S_IMODE(ground.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((ground.home / "lab.json").stat().st_mode) == 0o600


def test_a_second_up_says_who_holds_the_lab(ground: Ground) -> None:
    assert ground("up", "--detach").returncode == 0
    pid = json.loads((ground.home / "supervisor.json").read_text())["pid"]
    for words in (["up"], ["up", "--detach"]):
        second = ground(*words)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        assert f"pid {pid}" in second.stderr
        assert "ground down" in second.stderr
    assert ground("status").returncode == 0


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(ground: Ground) -> None:
    with socket.create_server(("127.0.0.1", ground.port)):
        up = ground("up", "--detach")
    assert up.returncode == 1
    assert f"Port {ground.port} of 127.0.0.1 is taken by pid {os.getpid()}" in up.stderr
    assert "ground up --port" in up.stderr
    assert ground.processes() == []
    assert ground("up", "--detach").returncode == 0


def test_ctrl_c_ends_everything(ground: Ground) -> None:
    with ground.start("up") as up:
        wait_for(lambda: (ground.home / "lab.json").exists(), 30, "a ready lab")
        up.send_signal(signal.SIGINT)
        assert up.stdout is not None
        words = up.stdout.read()
        assert up.wait(30) == 0, words
    assert "nothing is left running" in words
    assert ground.processes() == []


def test_a_killed_supervisor_leaves_nothing_and_the_next_up_works(ground: Ground) -> None:
    assert ground("up", "--detach").returncode == 0
    image = ground.aws(
        "ssm",
        "get-parameter",
        "--name",
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "--query",
        "Parameter.Value",
        "--output",
        "text",
    ).stdout.strip()
    launched = ground.aws("ec2", "run-instances", "--image-id", image, "--query", "Instances[0].InstanceId")
    assert launched.returncode == 0, launched.stderr
    wait_for(lambda: "running" in ground("status").stdout, 20, "a running instance")

    os.kill(json.loads((ground.home / "supervisor.json").read_text())["pid"], signal.SIGKILL)

    wait_for(lambda: not ground.processes(), 10, "the end of everything the supervisor had started")
    gone = ground("status")
    assert gone.returncode == 1
    assert "No lab is running" in gone.stderr
    assert ground("up", "--detach").returncode == 0
    assert json.loads(ground.aws("ec2", "describe-instances", "--output", "json").stdout) == {"Reservations": []}


def test_without_an_envoy_for_the_platform_one_line_says_so(ground: Ground, tmp_path: Path) -> None:
    broken = tmp_path / "without" / "envoy"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no wheel for this platform')\n")
    up = ground("up", "--detach", PYTHONPATH=str(broken.parent))
    assert up.returncode == 1
    assert "The lab's network needs Envoy" in up.stderr
    assert up.stderr.count("\n") == 1
    assert ground.processes() == []


def test_without_permission_for_control_groups_the_governor_takes_over(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        textwrap.dedent("""
        import groundschool.cloud.compute.cgroup as cgroup
        cgroup.ControlGroupBudgets.prove = lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
        """)
    )
    up = ground("up", "--detach", PYTHONPATH=str(tmp_path))
    assert up.returncode == 0, up.stderr
    assert "governor" in ground("status").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["up", "--speed", "0"], "GROUND_SPEED"),
        (["up", "--port", "80"], "GROUND_PORT"),
        (["shell", "i-none"], "No lab is running"),
        (["env"], "ground up"),
        (["build"], "ground up"),
        (["status"], "ground up"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_line_and_an_honest_exit_code(ground: Ground, words: list[str], told: str) -> None:
    answer = ground(*words)
    assert answer.returncode in (1, 2)
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_down_where_no_lab_has_been_is_fine(ground: Ground) -> None:
    assert ground("down").returncode == 0


def test_settings_come_from_the_environment_and_an_option_wins() -> None:
    settings = lab_settings({"GROUND_SPEED": "5", "GROUND_REGION": "eu-west-1"}, speed=7.0, port=None)
    assert (settings.speed, settings.region, settings.port) == (7.0, "eu-west-1", 4561)


def test_a_help_page_tells_the_story_in_order(ground: Ground) -> None:
    page = ground("--help").stdout
    verbs = ["demo", "up", "env", "build", "check", "load", "watch", "status", "shell", "dynamodb", "down"]
    places = [page.index(f"\n  {verb} ") for verb in verbs]
    assert places == sorted(places)
