"""What EC2's GetConsoleOutput shows of an instance."""

from __future__ import annotations

from pathlib import Path

CONSOLE_BYTES = 65_536
"""AWS: GetConsoleOutput returns the most recent 64 KB."""

_UNIT_LOG_BYTES = 4_096
_OWN_LOGS = ("messages", "cloud-init-output.log")


def console_output(root: Path) -> str:
    """Init's messages and the cloud-init log, then the end of each unit's log under its name."""
    logs = root / "var/log"
    parts = [_last(logs / name, CONSOLE_BYTES) for name in _OWN_LOGS]
    units = sorted(log for log in logs.glob("*.log") if log.name not in _OWN_LOGS)
    parts += [f"--- {log.stem}.service ---\n{_last(log, _UNIT_LOG_BYTES)}" for log in units]
    return "".join(parts).encode()[-CONSOLE_BYTES:].decode(errors="replace")


def _last(path: Path, size: int) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - size))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
