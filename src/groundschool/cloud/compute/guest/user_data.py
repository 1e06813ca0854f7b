"""The user data script: once, on first boot, as root, not interactive, with cloud-init's log.

AWS: EC2 user guide, run commands when you launch an EC2 instance with user data input.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .process import start
from .service import Surroundings

_VERSION = "22.2.2"
_SCRIPT = "var/lib/cloud/instance/scripts/part-001"

Finished = Callable[[int | None], None]
"""Gets the script's exit code, None when there was nothing to run."""


def run_user_data(text: str, at: Surroundings, booted_at: float, finished: Finished) -> None:
    """Runs the script in the background and calls ``finished`` once. ``booted_at`` is on the monotonic clock."""
    log = CloudInitLog(at.root / "var/log/cloud-init-output.log", booted_at)
    log.stage("running 'modules:final' at")
    if not text.startswith("#!"):
        if text.strip():
            log.warning("__init__.py", _unhandled(text))
        log.finished()
        finished(None)
        return
    script = at.root / _SCRIPT
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(text)
    script.chmod(0o700)

    def ended(code: int) -> None:
        if code != 0:
            log.warning("subp.py", f"Failed running /{_SCRIPT} [{code}]")
            log.warning("cc_scripts_user.py", f"Failed to run module scripts-user (scripts in /{Path(_SCRIPT).parent})")
            log.warning("util.py", "Running module scripts-user failed")
        log.finished()
        finished(code)

    at.loop.on_exit(start([str(script)], at.environment, at.root, log.path, log.path), ended)


class CloudInitLog:
    """``/var/log/cloud-init-output.log``: cloud-init's own lines around the script's output."""

    def __init__(self, path: Path, booted_at: float) -> None:
        self.path = path
        self._booted_at = booted_at

    def stage(self, what: str) -> None:
        moment = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        self._write(f"Cloud-init v. {_VERSION} {what} {moment}. {self._up()}")

    def finished(self) -> None:
        moment = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        self._write(f"Cloud-init v. {_VERSION} finished at {moment}. Datasource DataSourceEc2.  {self._up()}")

    def warning(self, module: str, message: str) -> None:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        self._write(f"{moment},{int(time.time() * 1000) % 1000:03d} - {module}[WARNING]: {message}")

    def _up(self) -> str:
        return f"Up {time.monotonic() - self._booted_at:.2f} seconds"

    def _write(self, line: str) -> None:
        with self.path.open("a") as log:
            log.write(line + "\n")


def _unhandled(text: str) -> str:
    if text.startswith(("#cloud-config", "Content-Type: multipart", "MIME-Version")):
        return "The lab runs shell scripts only (first line #!), not cloud-config or multi-part. Not executed."
    return (
        f"Unhandled non-multipart (text/x-not-multipart) userdata: {text.encode()[:24]!r}... "
        "Not executed: the first line of a user data script must start with #!"
    )
