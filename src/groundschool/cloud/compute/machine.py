"""A machine: what an EC2 instance is in the lab. A folder, an init process, a CPU budget, a memory limit.

Names: instance ``i-0abc...`` has the folder ``<instances>/i-0abc...``, an init process of that title, and the
control group ``groundschool-<lab>/i-0abc...``. The EC2 API's states and records are not here; this is the hardware.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from groundschool.cloud.compute.command import CommandResult, Commands
from groundschool.cloud.compute.console import console_output
from groundschool.cloud.compute.cpu_budget import CpuBudget, CpuBudgets
from groundschool.cloud.compute.init_process import start_init
from groundschool.cloud.compute.leftovers import INIT_RECORD, sweep
from groundschool.cloud.compute.machine_image import snapshot, unpack
from groundschool.cloud.compute.memory_limit import MemoryLimits
from groundschool.cloud.compute.spawner import Spawner
from groundschool.cloud.process_record import record_process, write_record
from groundschool.errors import LabError

_FOLDERS = ("etc/systemd/system", "opt", "root", "run", "tmp", "usr/local/bin", "var/log", "var/lib")
_STOP_SLACK_SECONDS = 2.0


@dataclass(frozen=True)
class MachineHost:
    """What the machines of one lab share."""

    spawner: Spawner
    budgets: CpuBudgets
    commands: Path
    """The base image's command folder, see :mod:`~groundschool.cloud.compute.base_image`."""
    boot_cores: float = 0.5
    """Host cores during the first boot, until user data finished: t3 launches in unlimited mode and bursts then."""
    memory: MemoryLimits = field(default_factory=MemoryLimits)


class BootState(StrEnum):
    OFF = "off"
    BOOTING = "booting"
    READY = "ready"


@dataclass(frozen=True)
class Boot:
    """``exit_code`` is the user data script's: None while booting and when there was none to run (then READY)."""

    state: BootState
    exit_code: int | None = None
    seconds: float | None = None
    """Real seconds from init's start to the end of user data."""


class Machine:
    """Methods may be called from any thread; ``start``, ``stop`` and ``reboot`` block, the rest returns at once.

    ``folder`` is the instance's root, ``address`` its inner address, ``environment`` what the lab adds (endpoints).
    ``memory`` in bytes: a process that takes the instance over it is ended. ``cores``, ``memory``, ``user_data`` and
    ``environment`` may be set while the machine is off.
    """

    def __init__(
        self,
        instance_id: str,
        folder: Path,
        host: MachineHost,
        *,
        address: str,
        cores: float,
        memory: int,
        metadata_endpoint: str,
        user_data: str = "",
        environment: Mapping[str, str] | None = None,
        image: Path | None = None,
    ) -> None:
        self.instance_id = instance_id
        self.folder = folder.absolute()
        self.address = address
        self.cores = cores
        self.memory = memory
        self.user_data = user_data
        self.environment = dict(environment or {})
        self._host = host
        self._metadata_endpoint = metadata_endpoint
        self._image = image
        self._power = threading.RLock()
        """Held for seconds: one start, stop or reboot at a time, so that a stop during a slow start waits for it."""
        self._guard = threading.RLock()
        """Held for moments."""
        self._boot = Boot(BootState.OFF)
        self._hung = False
        self._booted = threading.Event()
        self._init: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._budget: CpuBudget | None = None
        self._used_before = 0.0
        self._commands = Commands(self.folder)
        self._ended = threading.Event()
        self._ended.set()

    def start(self, first_boot: bool) -> None:
        """Returns when init runs; user data runs on the first boot only. Starting a running machine changes nothing.

        Raises LabError when the image cannot be unpacked, OSError when the process cannot be started.
        """
        with self._power:
            if self.alive():
                return
            self._ended.wait()
            self._prepare(first_boot)
            self._boot_now(first_boot)

    def stop(self, grace: float = 3.0) -> None:
        """SIGTERM to everything inside, SIGKILL after ``grace`` real seconds; on return nothing of it runs."""
        with self._power:
            if self._init is None or self._ended.is_set():
                return
            with self._guard:
                self._tell({"do": "shut-down", "grace": grace})
            if not self._ended.wait(grace + _STOP_SLACK_SECONDS):
                self._init.kill()
                self._ended.wait()

    def reboot(self, grace: float = 3.0) -> None:
        """The operating system again, on the same folder; user data does not run."""
        with self._power:
            self.stop(grace)
            self.start(first_boot=False)

    def kill(self) -> None:
        """A power cut: SIGKILL to everything inside, without a word to it; nothing when it is off already."""
        with self._guard:
            if self._init is not None and not self._ended.is_set():
                self._init.kill()

    @property
    def hung(self) -> bool:
        return self._hung

    def hang(self, hung: bool) -> None:
        """Stops every process inside, or lets them go on; connections are still accepted and get no answer.

        Level-based; a machine that is off, or boots again, does not hang.
        """
        with self._guard:
            if hung != self._hung and self.alive():
                self._hung = hung
                self._tell({"do": "hang", "hung": hung})

    @property
    def boot(self) -> Boot:
        return self._boot

    def wait_until_booted(self, timeout: float) -> Boot:
        """The boot's state after at most ``timeout`` real seconds."""
        self._booted.wait(timeout)
        return self._boot

    def alive(self) -> bool:
        return self._init is not None and not self._ended.is_set() and self._init.poll() is None

    def console_output(self) -> str:
        """EC2's GetConsoleOutput: the boot log, init's messages and the end of each unit's log, at most 64 KiB."""
        return console_output(self.folder)

    def cpu_used_seconds(self) -> float:
        """CPU seconds of all boots; never falls. CPUUtilization is its growth against ``cores``."""
        with self._guard:
            return self._used_before + (self._budget.used_seconds() if self._budget else 0.0)

    def shell_environment(self) -> dict[str, str]:
        """The environment of everything inside; nothing of the supervisor's own gets in."""
        root = str(self.folder)
        return {
            **self.environment,
            "HOME": f"{root}/root",
            "PATH": f"{self._host.commands}:{root}/usr/local/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "TMPDIR": f"{root}/tmp",  # noqa: S108 - the instance's own
            "LANG": "C.UTF-8",
            "INSTANCE_ROOT": root,
            "HOST": self.address,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata_endpoint,
        }

    def attach(self, pid: int) -> None:
        """Counts a process that was started outside (``ground shell``) against this machine's budget."""
        with self._guard:
            if self._budget is None:
                raise LabError(f"{self.instance_id} is not running. Start it first: aws ec2 start-instances.")
            self._budget.attach(pid, interactive=True)

    def run_command(self, script: str, timeout: float = 3600) -> Future[CommandResult]:
        """SSM's AWS-RunShellScript: runs inside, in the background, for at most ``timeout`` real seconds."""
        with self._guard:
            if not self.alive():
                raise LabError(f"{self.instance_id} is not running. Start it first: aws ec2 start-instances.")
            command_id, place, answer = self._commands.prepare(script)
            self._tell({"do": "run", "id": command_id, "folder": str(place), "timeout": timeout})
        return answer

    def snapshot(self, image: Path) -> None:
        """CreateImage: copies what is baked in to ``image``. Stop the machine first for a consistent copy."""
        snapshot(self.folder, image)

    def _prepare(self, first_boot: bool) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if first_boot and self._image is not None:
            unpack(self._image, self.folder)
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def _boot_now(self, first_boot: bool) -> None:
        with self._guard:
            environment = self.shell_environment()
            init, control = start_init(self._host.spawner, self.instance_id, self.folder, environment)
            budget = self._host.budgets.make(self.instance_id)
            self._init, self._control, self._budget, self._hung = init, control, budget, False
            self._boot = Boot(BootState.BOOTING)
            self._booted.clear()
            self._ended.clear()
            # From here on the listening thread cleans up, whatever happens below.
            threading.Thread(
                target=self._listen, args=(init, control, budget), name=self.instance_id, daemon=True
            ).start()
            try:
                budget.set_cores(max(self.cores, self._host.boot_cores) if first_boot else self.cores)
                # Attached before it is told to boot: whatever it starts is inside the budget.
                budget.attach(init.pid)
                write_record(record_process(init.pid, f"instance {self.instance_id}"), self.folder / INIT_RECORD)
            except BaseException:
                init.kill()
                raise
            self._host.memory.watch(
                self.instance_id, self.memory, init.pid, budget.processes, lambda pid: self._out_of_memory(init, pid)
            )
            user_data = self.user_data if first_boot else None
            self._tell({"do": "boot", "environment": environment, "user_data": user_data})

    def _out_of_memory(self, init: subprocess.Popen[bytes], pid: int) -> None:
        """``init`` is the boot that was measured: the next one has nothing to do with it."""
        with self._guard:
            if self._init is init and not self._ended.is_set():
                self._tell({"do": "out-of-memory", "pid": pid})

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._control is not None
        # The listening thread notices a broken connection and cleans up.
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self, init: subprocess.Popen[bytes], control: socket.socket, budget: CpuBudget) -> None:
        """Lives as long as this boot: init's events, and after its end the sweep."""
        with contextlib.suppress(OSError), control.makefile("r") as events:
            for line in events:
                self._happened(json.loads(line), budget)
        try:
            init.wait(_STOP_SLACK_SECONDS)
        except subprocess.TimeoutExpired:
            init.kill()
            init.wait()
        self._host.memory.forget(self.instance_id)
        sweep(self.folder, budget)
        with self._guard:
            self._used_before += budget.used_seconds()
            budget.release()
            self._budget = None
            control.close()
            (self.folder / INIT_RECORD).unlink(missing_ok=True)
            self._boot, self._hung = Boot(BootState.OFF), False
            self._ended.set()
        self._booted.set()
        self._commands.machine_gone()

    def _happened(self, event: dict[str, Any], budget: CpuBudget) -> None:
        if event["event"] == "booted":
            budget.set_cores(self.cores)
            self._boot = Boot(BootState.READY, event["exit_code"], event["seconds"])
            self._booted.set()
            return
        self._commands.finished(event["id"], event["exit_code"], event["timed_out"])
