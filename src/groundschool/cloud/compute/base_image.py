"""The lab's base image: what is on an instance's PATH before the host's own ``/usr/bin``.

One folder per lab. It plays the part of the Amazon Linux 2023 AMI: Python, the AWS CLI, systemctl, dnf.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

_SHIMS = Path(__file__).parent / "shims"
_COPIES = {
    "dnf": "dnf",
    "yum": "dnf",
    "journalctl": "journalctl",
    "sudo": "sudo",
    **dict.fromkeys(("reboot", "shutdown", "poweroff", "halt", "useradd", "adduser", "usermod", "userdel"), "refused"),
}


def base_interpreter() -> Path:
    """The Python below the lab's virtual environment: an instance must not see what the lab has installed."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def build_base_image(folder: Path) -> Path:
    """Writes the image's commands below ``folder`` and returns their folder; done again, it gives the same."""
    commands = folder / "bin"
    commands.mkdir(parents=True, exist_ok=True)
    python = base_interpreter()
    # python3.11 is what the workshop's user data names; with another host Python it is that one under this name.
    for name in {"python3", "python3.11", f"python3.{sys.version_info.minor}"}:
        _wrapper(commands / name, str(python))
    _wrapper(commands / "aws", str(Path(sysconfig.get_path("scripts")) / "aws"))
    _wrapper(commands / "systemctl", str(python), "-I", "-S", str(_SHIMS / "systemctl.py"))
    for name, shim in _COPIES.items():
        shutil.copyfile(_SHIMS / shim, commands / name)
        (commands / name).chmod(0o755)
    return commands


def _wrapper(path: Path, *command: str) -> None:
    """A script, not a symbolic link: the interpreter finds its own prefix and its venvs name the true home."""
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
