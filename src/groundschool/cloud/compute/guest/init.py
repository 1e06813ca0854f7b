"""The first process of an instance: boots it, answers ``systemctl``, runs commands, and takes everything down with it.

The supervisor talks to it over one socket, a JSON object per line:

    to init      {"do": "boot", "environment": {...}, "user_data": "..." or null}    once, first
                 {"do": "run", "id": "...", "folder": "...", "timeout": 60}          a script file in that folder
                 {"do": "shut-down", "grace": 3}
                 {"do": "out-of-memory", "pid": 123}                the instance's memory is full, this process must go
                 {"do": "hang", "hung": true}                       a fault: nothing runs but init, until false
    from init    {"event": "booted", "exit_code": 0, "seconds": 1.2}
                 {"event": "ran", "id": "...", "exit_code": 0, "timed_out": false}

The end of that socket means that the supervisor is gone; the instance goes with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .loop import Loop
from .process import (
    ancestors,
    become_init,
    descendants,
    hold,
    kill_everything_below,
    let_run,
    memory_of,
    signal_all,
    signal_group,
    start,
)
from .service import Surroundings
from .service_control import ServiceControl
from .user_data import run_user_data

_GRACE_WHEN_ALONE = 1.0
"""Real seconds for the processes of an instance whose supervisor died."""

_FIRST_LOOK, _LAST_LOOK = 0.02, 1.0
"""Real seconds between two looks at the processes of a hung instance, from the first to the later ones."""


class Init:
    def __init__(self, root: Path, control: socket.socket) -> None:
        self._root = root
        self._control = control
        self._received = b""
        self._booted_at = time.monotonic()
        self._shutting_down = False
        self._hung = False
        self._loop = Loop(on_terminate=lambda: self._shut_down(_GRACE_WHEN_ALONE))
        self._loop.on_readable(control, self._read_control)
        self._at = Surroundings(self._loop, root, {}, self._journal)
        self._services = ServiceControl(self._at)

    def run(self) -> None:
        self._loop.run()

    def _read_control(self) -> None:
        try:
            data = self._control.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._loop.forget(self._control)
            self._shut_down(_GRACE_WHEN_ALONE)
            return
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message["do"] == "boot":
                self._boot(message["environment"], message["user_data"])
            elif message["do"] == "run":
                self._run_command(message["id"], Path(message["folder"]), message["timeout"])
            elif message["do"] == "hang":
                self._set_hung(message["hung"])
            elif message["do"] == "out-of-memory":
                self._out_of_memory(message["pid"])
            else:
                self._shut_down(message["grace"])

    def _boot(self, environment: dict[str, str], user_data: str | None) -> None:
        self._at.environment.update(environment)
        _listen_for_systemctl(self._root, self._loop, self._services)
        self._journal("Reached target Multi-User System.")
        # AWS: cloud-init's final stage follows multi-user.target, so what an image has enabled starts before user data.
        self._services.start_enabled()
        if user_data is None:
            self._booted(None)
        else:
            run_user_data(user_data, self._at, self._booted_at, self._booted)

    def _booted(self, exit_code: int | None) -> None:
        self._tell({"event": "booted", "exit_code": exit_code, "seconds": time.monotonic() - self._booted_at})

    def _run_command(self, command_id: str, folder: Path, timeout: float) -> None:
        """SSM's AWS-RunShellScript: output in files beside the script."""
        pid = start([str(folder / "script")], self._at.environment, self._root, folder / "stdout", folder / "stderr")
        timed_out = False

        def expire() -> None:
            nonlocal timed_out
            timed_out = True
            signal_group(pid, signal.SIGKILL)

        timer = self._loop.after(timeout, expire)

        def ended(code: int) -> None:
            timer.cancel()
            self._tell({"event": "ran", "id": command_id, "exit_code": code, "timed_out": timed_out})

        self._loop.on_exit(pid, ended)

    def _out_of_memory(self, pid: int) -> None:
        """Linux ends the process and says so; systemd then ends the rest of its unit."""
        if found := memory_of(pid):
            self._say(f"Out of memory: Killed process {pid} {found}")
            self._services.out_of_memory(pid, ancestors(pid))
        signal_all([pid], signal.SIGKILL)

    def _set_hung(self, hung: bool) -> None:
        if hung == self._hung or self._shutting_down:
            return
        self._hung = hung
        if hung:
            self._keep_hung(_FIRST_LOOK)
        else:
            let_run(descendants())

    def _keep_hung(self, pause: float) -> None:
        """Looks again: what was being started meanwhile stops too, and what a CPU governor has continued."""
        if self._hung:
            hold(descendants())
            self._loop.after(pause, lambda: self._keep_hung(min(2 * pause, _LAST_LOOK)))

    def _shut_down(self, grace: float) -> None:
        if self._shutting_down:
            return
        self._shutting_down, self._hung = True, False
        self._journal("Stopping all units.")
        deadline = time.monotonic() + grace
        self._services.stop_all(then=lambda: None)
        # What no unit owns: user data, commands, whatever daemonised.
        signal_all(descendants(), signal.SIGTERM)
        self._wait_until_alone(deadline)

    def _wait_until_alone(self, deadline: float) -> None:
        if not descendants() or time.monotonic() >= deadline:
            self._loop.stop()
        else:
            self._loop.after(0.01, lambda: self._wait_until_alone(deadline))

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone; the control socket says so to the loop
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _journal(self, message: str) -> None:
        self._say(f"systemd[1]: {message}")

    def _say(self, line: str) -> None:
        """In the kernel's voice, unless the line names another."""
        with (self._root / "var/log/messages").open("a") as log:
            log.write(f"[{time.monotonic() - self._booted_at:12.6f}] {line}\n")


def _listen_for_systemctl(root: Path, loop: Loop, services: ServiceControl) -> None:
    """A Unix socket, bound by a relative name: a path in a deep state folder would not fit into a socket address."""
    here = Path.cwd()
    os.chdir(root / "run")
    Path("systemctl").unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("systemctl")
    os.chdir(here)
    listener.listen(16)

    def accept() -> None:
        connection, _ = listener.accept()
        connection.settimeout(2)
        loop.on_readable(connection, lambda: _answer(connection, loop, services))

    loop.on_readable(listener, accept)


def _answer(connection: socket.socket, loop: Loop, services: ServiceControl) -> None:
    loop.forget(connection)

    def reply(exit_code: int, output: str, errors: str) -> None:
        with contextlib.suppress(OSError):  # the caller left
            connection.sendall(json.dumps([exit_code, output, errors]).encode())
        connection.close()

    try:
        with connection.makefile("rb") as request:
            arguments = json.loads(request.readline())
    except (OSError, ValueError):
        connection.close()
        return
    _guarded(lambda: services.handle(arguments, reply), reply)


def _guarded(action: Callable[[], None], reply: Callable[[int, str, str], None]) -> None:
    """A full disk or a folder somebody removed must fail one call of systemctl, not take the instance down."""
    try:
        action()
    except OSError as error:
        reply(1, "", f"{error}\n")


def main(arguments: list[str]) -> None:
    instance_id, folder, control, parent = arguments
    root = Path(folder)
    connection = socket.socket(fileno=int(control))
    connection.set_inheritable(False)
    try:
        if become_init(instance_id, int(parent)):
            Init(root, connection).run()
    finally:
        # Also when a defect or a full disk ends init itself: an instance without init must not go on.
        kill_everything_below()


if __name__ == "__main__":
    main(sys.argv[1:])
