"""The install script: as text, and run for real in a folder that plays the machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from groundschool.errors import BuildError
from groundschool.workshop import install_script
from groundschool.workshop.release import Release, make_release
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

SYSTEMCTL = """#!/bin/bash
echo "$*" >>"$INSTANCE_ROOT/systemctl.log"
unit="$INSTANCE_ROOT/etc/systemd/system/visitor-board.service"
if [ "$*" = "enable --now visitor-board" ] && [ ! -e "$INSTANCE_ROOT/pid" ]; then
    environment=$(sed -n 's/^Environment=//p' "$unit") command=$(sed -n 's/^ExecStart=//p' "$unit")
    instance="HOST=$HOST AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_ENDPOINT_URL=http://127.0.0.1:9"
    env -i $instance $environment $command >"$INSTANCE_ROOT/app.log" 2>&1 &
    echo $! >"$INSTANCE_ROOT/pid"
fi
"""
"""Starts the unit as systemd would: with the environment it names and no other."""

AWS = """#!/bin/bash
echo "$*" >>"$INSTANCE_ROOT/aws.log"
cat "$INSTANCE_ROOT/release.tar.gz"
"""


def free_port() -> int:
    for port in range(26400, 26500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port from 26400 to 26499")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A root folder with the commands of an instance; whatever the script starts is ended."""
    commands = tmp_path / "commands"
    commands.mkdir()
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = sys._base_executable  # type: ignore[attr-defined]
    for name, text in {"systemctl": SYSTEMCTL, "aws": AWS, python: f'#!/bin/bash\nexec {base} -s -P "$@"\n'}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    yield tmp_path
    if (tmp_path / "pid").exists():
        with suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def run(machine: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{machine}/commands:/usr/bin:/bin", "INSTANCE_ROOT": str(machine), "HOST": "127.0.0.1"}
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=90)


def test_the_script_is_filled_in_quoted_valid_and_small_enough_for_user_data(world: World) -> None:
    text = install_script.render(world, make_release("visitor-board"))

    assert text.startswith("#!/bin/bash\n")
    assert not re.findall(r"@[A-Z_]+@", text)
    assert "TABLE_NAME=workshop_messages\nAWS_REGION=eu-north-1\nPORT=8080\n" in text
    assert len(text.encode()) < install_script.USER_DATA_LIMIT / 2
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


def test_a_setting_cannot_become_a_command(world: World) -> None:
    nasty = World(world.session, replace(world.settings, table_name="a; touch /tmp/x"))

    assert "TABLE_NAME='a; touch /tmp/x'" in install_script.render(nasty, Release((), "python3.11"))


def test_a_script_past_the_limit_of_user_data_is_refused(world: World) -> None:
    long = World(world.session, replace(world.settings, table_name="t" * 20000))

    with pytest.raises(BuildError, match="EC2 takes 16384"):
        install_script.render(long, Release((), "python3.11"))


def test_the_script_makes_a_machine_serve_the_board_and_twice_is_as_once(world: World, machine: Path) -> None:
    release = make_release("visitor-board")
    (machine / "release.tar.gz").write_bytes(release.archive())
    port = free_port()
    chosen = World(world.session, replace(WorkshopSettings(), app_port=port))
    script = install_script.render(chosen, release)

    started = time.monotonic()
    first = run(machine, script)
    assert first.returncode == 0, first.stdout + first.stderr + (machine / "app.log").read_text()
    assert first.stdout.endswith(f"visitor-board: serving on port {port}\n")
    assert time.monotonic() - started < 60
    unit = (machine / "etc/systemd/system/visitor-board.service").read_text()
    assert f"-m visitor_board serve\nEnvironment=PYTHONPATH={machine}/opt/visitor-board/{release.digest}\n" in unit
    assert "User=visitor-board\nRestart=always\n" in unit
    assert "HOST" not in unit, "the laptop cloud gives the address"

    second = run(machine, script)

    assert second.returncode == 0, second.stderr
    assert f"release {release.digest} is already here" in second.stdout
    assert len((machine / "aws.log").read_text().splitlines()) == 1
    assert "restart" not in (machine / "systemctl.log").read_text()


def test_a_new_release_beside_the_old_one_restarts_the_app(world: World, machine: Path) -> None:
    release = make_release("visitor-board")
    (machine / "release.tar.gz").write_bytes(release.archive())
    chosen = World(world.session, replace(WorkshopSettings(), app_port=free_port()))
    run(machine, install_script.render(chosen, release))

    newer = run(machine, install_script.render(chosen, replace(release, files=())))

    assert newer.returncode == 0, newer.stderr
    assert (machine / "systemctl.log").read_text().splitlines()[-1] == "restart visitor-board"
    assert len(list((machine / "opt/visitor-board").iterdir())) == 2


def test_a_download_that_breaks_off_leaves_no_release_behind(world: World, machine: Path) -> None:
    (machine / "release.tar.gz").write_bytes(make_release("itsdangerous").archive()[:-100])
    script = install_script.render(world, make_release("itsdangerous")).replace("sleep 2", "sleep 0.01")

    done = run(machine, script)

    assert done.returncode != 0
    assert not (machine / "opt/visitor-board" / make_release("itsdangerous").digest).exists()
    assert not (machine / "systemctl.log").exists()
