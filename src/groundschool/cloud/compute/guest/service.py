"""A unit that runs: started, watched, restarted, stopped. The states carry systemd's names."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .loop import Loop, Timer
from .process import signal_group, start
from .unit_file import UnitFile, environment_file, expand

_CLEAN_ENDS = (0, -signal.SIGHUP, -signal.SIGINT, -signal.SIGTERM, -signal.SIGPIPE)
_START_LIMIT = 5
_START_LIMIT_SECONDS = 10.0
"""systemd's defaults: more than 5 starts in 10 s and a unit is given up. Real seconds, as on AWS."""


class Surroundings(NamedTuple):
    """What a service needs of its instance."""

    loop: Loop
    root: Path
    environment: dict[str, str]
    journal: Callable[[str], None]


class Service:
    def __init__(self, unit: UnitFile, surroundings: Surroundings) -> None:
        self.unit = unit
        self.state = "inactive"
        """inactive, activating, active, deactivating or failed."""
        self.result = "success"
        self.pid: int | None = None
        self.since = time.time()
        self.restarts = 0
        self._out_of_memory = False
        """A process of this run of the unit was killed for its memory."""
        self._at = surroundings
        self._starts: list[float] = []
        self._restart_timer: Timer | None = None
        self._kill_timer: Timer | None = None
        self._when_stopped: list[Callable[[], None]] = []

    @property
    def log(self) -> Path:
        return self._at.root / "var/log" / f"{self.unit.name.removesuffix('.service')}.log"

    @property
    def label(self) -> str:
        return f"{self.unit.name} - {self.unit.description}"

    def start(self) -> bool:
        """False when it could not be started; the journal says why. Already running is a success."""
        if self.pid is not None:
            return True
        self._cancel(self._restart_timer)
        now = time.monotonic()
        self._starts = [moment for moment in self._starts if now - moment < _START_LIMIT_SECONDS]
        if len(self._starts) >= _START_LIMIT:
            self._say("Start request repeated too quickly.")
            return self._fail(self.result if self.result != "success" else "start-limit-hit")
        self._starts.append(now)
        try:
            environment = self._environment()
        except (OSError, ValueError) as error:
            self._say(f"Failed to load environment files: {error}")
            return self._fail("resources")
        folder = Path(self.unit.working_directory or self._at.root)
        if not folder.is_dir():
            self._say(f"Changing to the requested working directory failed: {folder} is not a directory")
            return self._fail("exit-code")
        self.pid = start(expand(self.unit.command, environment), environment, folder, self.log, self.log)
        self._out_of_memory = False
        self._at.loop.on_exit(self.pid, self._ended)
        self._enter("activating" if self.unit.one_shot else "active")
        self._at.journal(f"Started {self.label}.")
        return True

    def stop(self, then: Callable[[], None] = lambda: None) -> None:
        """SIGTERM to its process group, SIGKILL after ``stop_seconds``; ``then`` runs when it is gone."""
        self._cancel(self._restart_timer)
        if self.pid is None:
            self._enter("failed" if self.state == "failed" else "inactive")
            then()
            return
        self._when_stopped.append(then)
        if self.state == "deactivating":
            return
        self._enter("deactivating")
        self._at.journal(f"Stopping {self.label}...")
        self._terminate(self.pid)

    def _terminate(self, group: int) -> None:
        signal_group(group, signal.SIGTERM)
        if self.unit.stop_seconds != float("inf"):
            self._kill_timer = self._at.loop.after(self.unit.stop_seconds, lambda: signal_group(group, signal.SIGKILL))

    def out_of_memory(self, pid: int) -> None:
        """systemd's ``OOMPolicy=stop``, the default: one process of the unit is killed, so all of it goes."""
        self._out_of_memory = True
        self._say("A process of this unit has been killed by the OOM killer.")
        if self.pid is not None and self.pid != pid and self.unit.oom_policy != "continue":
            self._terminate(self.pid)

    def _ended(self, code: int) -> None:
        pid, self.pid = self.pid, None
        assert pid is not None
        signal_group(pid, signal.SIGKILL)  # systemd's KillMode=control-group: nothing outlives the main process
        self._cancel(self._kill_timer)
        if self.state == "deactivating":
            self._enter("inactive")
            self._at.journal(f"Stopped {self.label}.")
            waiting, self._when_stopped = self._when_stopped, []
            for then in waiting:
                then()
            return
        clean = (code in _CLEAN_ENDS and not self._out_of_memory) or self.unit.ignore_failure
        if not clean:
            self.result = "oom-kill" if self._out_of_memory else "exit-code" if code >= 0 else "signal"
            self._say(f"Main process exited, {_describe(code)}")
            self._say(f"Failed with result '{self.result}'.")
        if self.unit.restart == "always" or (self.unit.restart == "on-failure" and not clean):
            self._enter("activating")
            self._restart_timer = self._at.loop.after(self.unit.restart_seconds, self._restart)
        else:
            self._enter("inactive" if clean else "failed")

    def _restart(self) -> None:
        self.restarts += 1
        self._say(f"Scheduled restart job, restart counter is at {self.restarts}.")
        self.start()

    def _environment(self) -> dict[str, str]:
        environment = dict(self._at.environment)
        environment.update(self.unit.environment)
        for path, optional in self.unit.environment_files:
            if not optional or Path(path).exists():
                environment.update(environment_file(Path(path).read_text()))
        return environment

    def _fail(self, result: str) -> bool:
        self.result = result
        self._say(f"Failed with result '{result}'.")
        self._enter("failed")
        return False

    def _enter(self, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, time.time()

    def _say(self, message: str) -> None:
        self._at.journal(f"{self.unit.name}: {message}")

    @staticmethod
    def _cancel(timer: Timer | None) -> None:
        if timer is not None:
            timer.cancel()


def _describe(code: int) -> str:
    if code >= 0:
        return f"code=exited, status={code}/{'FAILURE' if code != 203 else 'EXEC'}"
    return f"code=killed, status={-code}/{signal.Signals(-code).name.removeprefix('SIG')}"
