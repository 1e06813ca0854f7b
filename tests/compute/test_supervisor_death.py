"""Instances do not outlive the lab, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from groundschool.cloud.process_record import processes_with_environment

SUPERVISOR = """
import sys, threading, time
from pathlib import Path
from groundschool.cloud.compute.base_image import build_base_image
from groundschool.cloud.compute.governor import GovernorBudgets
from groundschool.cloud.compute.machine import Machine, MachineHost
from groundschool.cloud.compute.spawner import Spawner

folder = Path(sys.argv[1])
host = MachineHost(Spawner(), GovernorBudgets("asked for"), build_base_image(folder / "base"))
machine = Machine(
    "i-1", folder / "i-1", host, address="127.1.20.1", cores=0.05, memory=1 << 30,
    metadata_endpoint="http://127.1.20.1:23339/",
    user_data='''#!/bin/bash
trap '' TERM
setsid sh -c 'while :; do :; done' &
(setsid sleep 600 &)
while :; do :; done
''',
)
# As from a web thread that ends after its request: the machine must live on.
web_thread = threading.Thread(target=machine.start, args=(True,))
web_thread.start()
web_thread.join()
time.sleep(float(sys.argv[2]))
print("alive" if machine.alive() else "gone", flush=True)
time.sleep(600)
"""


def test_kill_9_of_the_supervisor_leaves_nothing_not_even_what_the_governor_had_stopped(
    tmp_path: Path, wait_for
) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path), "1.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "alive\n"
        root = str(tmp_path / "i-1")
        assert len(processes_with_environment("INSTANCE_ROOT", root)) >= 4
        os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: processes_with_environment("INSTANCE_ROOT", root) == [], "nothing left", 5.0)
