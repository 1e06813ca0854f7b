"""An instance that takes more memory than its type has loses its biggest process, and says so."""

import pytest

from groundschool.cloud.compute.memory_limit import OutOfMemory, ProcessMemory, out_of_memory
from groundschool.cloud.process_record import processes_with_environment

MIB = 1024 * 1024
INIT = 1


def process(pid: int, resident: int, share: int | None = None) -> ProcessMemory:
    return ProcessMemory(pid, resident * MIB, (resident if share is None else share) * MIB)


@pytest.mark.parametrize(
    ("processes", "ended"),
    [
        pytest.param([process(INIT, 7), process(5, 500)], None, id="just below the limit"),
        pytest.param([process(INIT, 7), process(5, 100), process(6, 410)], 6, id="the biggest goes"),
        pytest.param([process(5, 400, 200), process(6, 400, 200)], None, id="what is shared counts once"),
        pytest.param([process(INIT, 600), process(5, 10)], 5, id="never the first process"),
        pytest.param([process(INIT, 600)], None, id="nothing but the first process"),
        pytest.param([], None, id="nothing runs"),
    ],
)
def test_who_must_go(processes: list[ProcessMemory], ended: int | None) -> None:
    decision = out_of_memory(processes, 512 * MIB, INIT)
    assert (decision.pid if decision else None) == ended


def test_the_decision_carries_its_reason() -> None:
    assert out_of_memory([process(5, 600)], 512 * MIB, INIT) == OutOfMemory(5, 600 * MIB, 512 * MIB)


HUNGRY = """#!/bin/bash
cat > $INSTANCE_ROOT/opt/hungry.py <<'END'
import pathlib, sys, time
here = pathlib.Path(sys.argv[1])
runs = here.read_text() if here.exists() else ""
here.write_text(runs + "x")
eaten = bytearray(200 * 1024 * 1024) if not runs else b""
time.sleep(600)
END
cat > $INSTANCE_ROOT/etc/systemd/system/hungry.service <<END
[Service]
ExecStart=%s
Restart=on-failure
END
systemctl start hungry
"""
ALONE = "python3 $INSTANCE_ROOT/opt/hungry.py $INSTANCE_ROOT/opt/runs"
AS_A_WORKER = f"/bin/sh -c '{ALONE} & sleep 600'"


@pytest.mark.parametrize("command", [pytest.param(ALONE, id="alone"), pytest.param(AS_A_WORKER, id="as a worker")])
def test_a_unit_over_the_limit_is_killed_restarted_and_in_the_console_and_others_live(
    machines, wait_for, command: str
) -> None:
    other, _ = machines.boot("#!/bin/bash\nsleep 600 &\n", memory=100 * MIB)
    living = processes_with_environment("INSTANCE_ROOT", str(other.folder))
    machine, _ = machines.boot(HUNGRY % command, memory=100 * MIB)
    runs = machine.folder / "opt/runs"
    wait_for(lambda: runs.exists() and runs.read_text() == "xx", "the restart")
    console = machine.console_output()
    assert "] Out of memory: Killed process " in console
    assert "(python3" in console
    assert " anon-rss:" in console
    assert "hungry.service: A process of this unit has been killed by the OOM killer." in console
    assert "hungry.service: Failed with result 'oom-kill'." in console
    assert "restart counter is at 1." in console
    assert console.count("Out of memory") == 1
    assert processes_with_environment("INSTANCE_ROOT", str(other.folder)) == living
    assert "Out of memory" not in other.console_output()


def test_without_a_unit_the_shell_says_killed(machines) -> None:
    machine, boot = machines.boot(
        "#!/bin/bash\npython3 -c 'import time; x = b\"y\" * 200_000_000; time.sleep(60)'\necho went on\n",
        memory=100 * MIB,
    )
    assert boot.exit_code == 0
    assert "Killed" in machine.console_output()
    assert "went on" in machine.console_output()
