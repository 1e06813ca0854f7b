"""The life of one instance: boot, user data, console, commands, stop and start."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from groundschool.cloud.compute.leftovers import end_leftovers
from groundschool.cloud.compute.machine import BootState
from groundschool.cloud.process_record import processes_with_environment, read_record
from groundschool.errors import LabError

UNIT = """cat > $INSTANCE_ROOT/etc/systemd/system/board.service <<END
[Unit]
Description=Visitor Board
[Service]
ExecStart=/bin/sh -c 'echo serving; exec sleep 600'
Restart=always
RestartSec=100ms
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
"""


def inside(machine) -> list[int]:
    return processes_with_environment("INSTANCE_ROOT", str(machine.folder))


def run(machine, script: str) -> str:
    result = machine.run_command(script).result(20)
    assert result.exit_code == 0, result
    return result.stdout


def test_user_data_runs_once_and_the_console_shows_it(machines) -> None:
    machine, boot = machines.boot("#!/bin/bash\necho hello from $0\necho x >> $INSTANCE_ROOT/opt/runs\n")
    console = machine.console_output()
    assert boot.exit_code == 0
    assert "hello from" in console
    assert "Cloud-init v." in console
    assert "finished at" in console
    machine.reboot()
    machine.wait_until_booted(20)
    assert (machine.folder / "opt/runs").read_text() == "x\n"


def test_failing_user_data_shows_its_exit_code_and_leaves_an_inspectable_machine(machines) -> None:
    machine, boot = machines.boot("#!/bin/bash\nset -e\necho before\nexit 7\n")
    console = machine.console_output()
    assert boot.exit_code == 7
    assert "part-001 [7]" in console
    assert "Failed to run module scripts-user" in console
    assert machine.alive()
    assert "before" in run(machine, "cat $INSTANCE_ROOT/var/log/cloud-init-output.log")


@pytest.mark.parametrize(
    ("user_data", "said"),
    [
        pytest.param("echo hi > $INSTANCE_ROOT/opt/ran\n", "must start with #!", id="no interpreter line"),
        pytest.param("#cloud-config\npackages: [git]\n", "shell scripts only", id="cloud-config"),
        pytest.param("#!/no/such/shell\n", "Failed to execute", id="an interpreter that is not there"),
    ],
)
def test_user_data_that_cannot_run_is_said_so(machines, user_data: str, said: str) -> None:
    machine, _ = machines.boot(user_data)
    assert said in machine.console_output()
    assert list((machine.folder / "opt").iterdir()) == []


def test_nothing_of_the_supervisors_environment_gets_in(machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the learner's own")
    machine, _ = machines.boot(
        "#!/bin/bash\nenv > $INSTANCE_ROOT/opt/env\n", AWS_ENDPOINT_URL="http://127.0.20.1:23300"
    )
    seen = dict(line.split("=", 1) for line in (machine.folder / "opt/env").read_text().splitlines())
    given = {"HOME", "PATH", "TMPDIR", "LANG", "INSTANCE_ROOT", "HOST", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}
    assert set(seen) - {"PWD", "SHLVL", "_"} == given | {"AWS_ENDPOINT_URL"}
    assert seen["HOST"] == machine.address


def test_the_image_has_the_base_python_the_aws_cli_and_an_honest_dnf(machines) -> None:
    machine, _ = machines.boot()
    assert ".venv" not in run(machine, "python3.11 -c 'import sys; print(sys.executable, sys.prefix)'")
    assert run(machine, "aws --version").startswith("aws-cli/")
    assert "python3.11 is part of this lab image" in run(machine, "dnf install -y python3.11")
    absent = machine.run_command("dnf install -y no-such-package").result(20)
    assert absent.exit_code == 1
    assert "No match for argument: no-such-package" in absent.stderr


def test_commands_that_would_change_the_host_are_refused(machines) -> None:
    machine, _ = machines.boot()
    refused = machine.run_command("sudo reboot").result(20)
    assert refused.exit_code == 1
    assert "not in the lab" in refused.stderr


def test_a_command_that_takes_too_long_is_ended_with_its_children(machines) -> None:
    machine, _ = machines.boot()
    result = machine.run_command("echo started; sleep 600 & sleep 600", timeout=0.5).result(20)
    assert result.timed_out
    assert result.stdout == "started\n"
    assert len(inside(machine)) == 1  # init


def test_a_command_under_way_when_the_machine_stops_has_no_exit_code(machines, wait_for) -> None:
    machine, _ = machines.boot()
    answer = machine.run_command("trap '' TERM; echo begun; while :; do sleep 0.1; done")
    outputs = machine.folder / "var/lib/amazon/ssm"
    wait_for(lambda: [path.read_text() for path in outputs.glob("*/stdout")] == ["begun\n"], "the command's output")
    machine.stop(grace=0.3)
    assert (answer.result(20).exit_code, answer.result().stdout) == (None, "begun\n")
    with pytest.raises(LabError, match="not running"):
        machine.run_command("true")


def test_stop_ends_everything_also_what_daemonised_or_ignores_sigterm(machines, wait_for) -> None:
    machine, _ = machines.boot(
        "#!/bin/bash\n(setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 &)\n"
        "env -i setsid sleep 600 &\ndisown\nsleep 0.2\n"
    )
    init = read_record(machine.folder / "run/init.json")
    assert init is not None
    wait_for(lambda: len(psutil.Process(init.pid).children(recursive=True)) >= 3, "two daemons and a sleep")
    family = psutil.Process(init.pid).children(recursive=True)
    machine.stop(grace=0.3)
    assert psutil.wait_procs(family, timeout=0)[1] == []
    assert not machine.alive()
    assert machine.boot.state is BootState.OFF


def test_a_killed_init_takes_its_instance_with_it(machines, wait_for) -> None:
    machine, _ = machines.boot(f"#!/bin/bash\n{UNIT}systemctl enable --now board\nsetsid sleep 600 &\n")
    record = read_record(machine.folder / "run/init.json")
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: not inside(machine), "an empty instance")
    wait_for(lambda: machine.boot.state is BootState.OFF, "off")
    machine.start(first_boot=False)
    machine.wait_until_booted(20)
    assert run(machine, "systemctl is-active board") == "active\n"


def test_enabled_units_start_at_the_next_boot_and_disabled_ones_do_not(machines) -> None:
    machine, _ = machines.boot(f"#!/bin/bash\n{UNIT}systemctl enable board\n")
    assert machine.run_command("systemctl is-active board").result(20).exit_code == 3  # enable alone starts nothing
    machine.reboot()
    machine.wait_until_booted(20)
    assert run(machine, "systemctl is-active board") == "active\n"
    run(machine, "systemctl disable --now board")
    machine.reboot()
    machine.wait_until_booted(20)
    assert machine.run_command("systemctl is-active board").result(20).stdout == "inactive\n"


def test_a_unit_that_crashes_is_started_again(machines, wait_for) -> None:
    machine, _ = machines.boot(f"#!/bin/bash\n{UNIT}systemctl enable --now board\n")
    first = run(machine, "systemctl status board | sed -n 's/.*Main PID: //p'").strip()
    os.kill(int(first), signal.SIGKILL)
    log = machine.folder / "var/log/board.log"
    wait_for(lambda: log.read_text() == "serving\nserving\n", "the second start in the unit's log")
    assert run(machine, "systemctl status board | sed -n 's/.*Main PID: //p'").strip() not in ("", first)
    assert "status=9/KILL" in machine.console_output()
    assert "restart counter is at 1" in machine.console_output()


def test_a_unit_that_cannot_live_is_given_up_and_says_why(machines, wait_for) -> None:
    unit = UNIT.replace("exec sleep 600", "exit 3").replace("100ms", "10ms")
    machine, _ = machines.boot(f"#!/bin/bash\n{unit}systemctl enable --now board\n")
    wait_for(lambda: "Start request repeated too quickly" in machine.console_output(), "the start limit")
    status = machine.run_command("systemctl status board").result(20)
    assert status.exit_code == 3
    assert "failed (Result: exit-code)" in status.stdout


def test_a_unit_stopped_right_after_its_start_is_gone_at_once(machines) -> None:
    machine, _ = machines.boot(f"#!/bin/bash\n{UNIT}")
    rounds = "for i in 1 2 3 4 5; do systemctl start board; systemctl stop board; systemctl is-active board; done"
    result = machine.run_command(rounds, timeout=8).result(20)  # a lost SIGTERM would cost 10 s
    assert (result.stdout, result.timed_out) == ("inactive\n" * 5, False)


def test_restart_and_stop_act_on_the_running_unit(machines) -> None:
    machine, _ = machines.boot(f"#!/bin/bash\n{UNIT}systemctl enable --now board\n")
    pid = "systemctl status board | sed -n 's/.*Main PID: //p'"
    first = run(machine, pid)
    assert run(machine, f"systemctl restart board; {pid}") not in ("", first)
    run(machine, "systemctl stop board")
    assert machine.run_command("systemctl is-active board").result(20).stdout == "inactive\n"
    assert machine.run_command("systemctl start nothing").result(20).exit_code == 5


def test_cpu_time_and_console_survive_a_stop(machines) -> None:
    machine, _ = machines.boot("#!/bin/bash\necho burning\nfor i in {1..20000}; do :; done\n")
    used = machine.cpu_used_seconds()
    machine.stop()
    assert machine.cpu_used_seconds() >= used > 0
    assert "burning" in machine.console_output()


def test_a_snapshot_boots_elsewhere_without_the_work_of_user_data(machines, tmp_path: Path) -> None:
    machine, _ = machines.boot(
        f"#!/bin/bash\n{UNIT}python3 -m venv --without-pip $INSTANCE_ROOT/opt/venv\n"
        "ln -s $INSTANCE_ROOT/opt/venv $INSTANCE_ROOT/opt/current\n"
        "systemctl enable --now board\n"
    )
    machine.stop()
    machine.snapshot(tmp_path / "ami")
    copy, boot = machines.boot(image=tmp_path / "ami")
    assert boot.exit_code is None
    assert run(copy, "systemctl is-active board") == "active\n"
    assert run(copy, "readlink $INSTANCE_ROOT/opt/current").strip() == str(copy.folder / "opt/venv")
    assert run(copy, "$INSTANCE_ROOT/opt/venv/bin/python -c 'import sys; print(sys.prefix)'").strip() == str(
        copy.folder / "opt/venv"
    )
    named = [path for path in copy.folder.rglob("*.service") if str(machine.folder) in path.read_text()]
    assert named == []


def test_leftovers_of_a_killed_supervisor_are_ended_by_their_record(machines, tmp_path: Path) -> None:
    machine, _ = machines.boot("#!/bin/bash\nsetsid sleep 600 &\n")
    assert end_leftovers(tmp_path / "instances") == ["i-1"]
    assert inside(machine) == []
    assert end_leftovers(tmp_path / "instances") == []
