"""Starting, finding and ending processes, without ``subprocess`` (which would double init's memory)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

EXEC_FAILED = 203
"""systemd's status for a command that could not be executed."""


def become_init(name: str, parent: int) -> bool:
    """Adopt orphans, carry the instance's name, end with the supervisor. False when the supervisor is already gone."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _LIBC.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


def start(command: Sequence[str], environment: Mapping[str, str], folder: Path, output: Path, errors: Path) -> int:
    """Starts a command as the leader of a process group of its own, both outputs appended to files. Returns its pid.

    Should init be killed, the kernel kills it too. A command that cannot be executed exits with 203 and says why.
    """
    # A unit may be stopped at once: until exec, SIGTERM waits instead of reaching init's handler in the child.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        with contextlib.suppress(OSError):  # both sides ask, so that the group exists whoever runs first
            os.setpgid(pid, pid)
        return pid
    try:
        os.setpgid(0, 0)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _redirect(output, errors)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.chdir(folder)
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"Failed to execute {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(EXEC_FAILED)


def _redirect(output: Path, errors: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, descriptor in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640), descriptor)


def signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
        os.killpg(group, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):
        pass


def signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            pass


def hold(pids: Iterable[int]) -> None:
    """Stops processes where they are."""
    _send(pids, signal.SIGSTOP)


def let_run(pids: Iterable[int]) -> None:
    """Continues what was stopped."""
    _send(pids, signal.SIGCONT)


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def descendants() -> list[int]:
    """Every process below this one."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def ancestors(pid: int) -> list[int]:
    """The process and those above it, up to the first one."""
    parents = dict(_parents())
    found = []
    while pid > 1:
        found.append(pid)
        pid = parents.get(pid, 0)
    return found


def memory_of(pid: int) -> str:
    """Its name and sizes as Linux's out-of-memory killer prints them; empty when it is gone."""
    if sys.platform != "linux":
        return f"(pid {pid})"
    try:
        lines = Path("/proc", str(pid), "status").read_text().splitlines()
    except OSError:
        return ""
    fields = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    sizes = {"total-vm": "VmSize", "anon-rss": "RssAnon", "file-rss": "RssFile", "shmem-rss": "RssShmem"}
    written = ", ".join(f"{name}:{fields[field][0]}kB" for name, field in sizes.items() if field in fields)
    return f"({' '.join(fields['Name'])}) {written}"


def _parents() -> Iterable[tuple[int, int]]:
    if sys.platform != "linux":
        with os.popen("/bin/ps -A -o pid=,ppid=") as lines:  # noqa: S605 - a constant command
            for line in lines:
                pid, parent = line.split()
                yield int(pid), int(parent)
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 - names, not a Path for every file of /proc
        if name.isdigit():
            try:
                stat = Path("/proc", name, "stat").read_text()
            except OSError:
                continue
            yield int(name), int(stat.rpartition(")")[2].split()[1])


def kill_everything_below(seconds: float = 5.0) -> None:
    """SIGKILL until no child is left. Orphans of what was killed become our children, so the next round finds them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        signal_all(descendants(), signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)
