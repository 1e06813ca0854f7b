"""systemd unit files, as far as a web app on one instance needs them. Pure: text in, values out.

systemd: systemd.service(5), systemd.exec(5). What the lab does not act on becomes a note, never silence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

RESTART_POLICIES = ("no", "always", "on-failure")
_TYPES = ("simple", "exec", "oneshot")
_SILENT = {
    # what has no meaning in a lab, or holds in it anyway
    "Description", "Documentation", "After", "Before", "Wants", "Requires", "WantedBy", "Alias",
    "StandardOutput", "StandardError", "SyslogIdentifier", "KillMode", "StartLimitIntervalSec", "StartLimitBurst",
}  # fmt: skip
_SANDBOX = re.compile("Protect|Private|Restrict|SystemCall|CapabilityBoundingSet|NoNewPrivileges|LockPersonality")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|min|minutes?|m|h)?\s*")
_SPAN_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "second": 1, "seconds": 1, "min": 60, "minute": 60, "m": 60, "h": 3600}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


class UnitFile(NamedTuple):
    name: str
    description: str
    command: tuple[str, ...]
    """Words of ExecStart, variables not yet expanded."""
    environment: tuple[tuple[str, str], ...]
    environment_files: tuple[tuple[str, bool], ...]
    """Path and whether it may be missing."""
    working_directory: str | None
    restart: str
    restart_seconds: float
    stop_seconds: float
    """Real seconds between SIGTERM and SIGKILL; systemd's default is 90, the lab's 10."""
    oom_policy: str
    """``stop`` or ``continue`` when a process of the unit was killed for its memory."""
    one_shot: bool
    ignore_failure: bool
    wanted_by: tuple[str, ...]
    notes: tuple[str, ...]


def parse_unit(name: str, text: str) -> UnitFile:
    """Raises ValueError with systemd's reason when the unit cannot be started."""
    entries, notes = _entries(text)
    service = {key: value for section, key, value in entries if section == "Service"}
    command = service.get("ExecStart", "")
    words = _words(command.lstrip("-@:+!"), "ExecStart")
    if not words:
        raise ValueError("Service has no ExecStart=. Refusing.")
    notes += _notes(entries)
    restart, kind = service.get("Restart", "no"), service.get("Type", "simple")
    if restart not in RESTART_POLICIES:
        notes.append(f"Restart={restart} is not known in the lab; treated as on-failure")
        restart = "on-failure"
    if kind not in _TYPES:
        notes.append(f"Type={kind} is not known in the lab; treated as simple")
    return UnitFile(
        name=name,
        description=next((value for _, key, value in entries if key == "Description"), name),
        command=words,
        environment=_environment(entries),
        environment_files=tuple(
            (value.lstrip("-"), value.startswith("-")) for _, key, value in entries if key == "EnvironmentFile"
        ),
        working_directory=service.get("WorkingDirectory", "").lstrip("-") or None,
        restart=restart,
        restart_seconds=time_span(service.get("RestartSec", "100ms")),
        stop_seconds=time_span(service.get("TimeoutStopSec", "10")),
        oom_policy=service.get("OOMPolicy", "stop"),
        one_shot=kind == "oneshot",
        ignore_failure=command.startswith("-"),
        wanted_by=tuple(word for _, key, value in entries if key == "WantedBy" for word in value.split()),
        notes=tuple(notes),
    )


def time_span(text: str) -> float:
    """``5``, ``100ms``, ``1min 30s`` in seconds; ``infinity`` as inf. systemd: systemd.time(7)."""
    if text.strip() == "infinity":
        return float("inf")
    if not text.strip() or _SPAN.sub("", text).strip():
        raise ValueError(f"Failed to parse time span: {text!r}")
    return sum(float(number) * _SPAN_SECONDS[unit or "s"] for number, unit in _SPAN.findall(text))


def environment_file(text: str) -> dict[str, str]:
    """``NAME=value`` lines; quotes are removed, comments skipped, no substitution."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            found[name.strip()] = " ".join(_words(value, name))
    return found


def expand(command: tuple[str, ...], environment: Mapping[str, str]) -> list[str]:
    """``${NAME}`` inside a word, ``$NAME`` as a word of its own split at blanks, ``$$`` a dollar: as systemd does."""
    words: list[str] = []
    for word in command:
        whole = re.fullmatch(r"\$(\w+)", word)
        if whole:
            words += environment.get(whole[1], "").split()
        else:
            words.append(_VARIABLE.sub(lambda found: _value(found, environment), word))
    return words


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    braced, _, dollar = found.groups()
    if dollar:
        return "$"
    return environment.get(braced, "") if braced else found[0]


def _entries(text: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    section, entries, notes = "", [], []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, value = line.split("=", 1)
            entries.append((section, key.strip(), value.strip()))
        else:
            notes.append(f"Missing '=', ignoring line: {line}")
    return entries, notes


_ACTED_ON = {
    "ExecStart", "Environment", "EnvironmentFile", "WorkingDirectory", "Restart", "RestartSec", "TimeoutStopSec",
    "Type", "OOMPolicy",
}  # fmt: skip


def _notes(entries: list[tuple[str, str, str]]) -> list[str]:
    notes = []
    sandbox = [key for _, key, _ in entries if _SANDBOX.match(key)]
    if sandbox:
        notes.append(
            f"{len(sandbox)} directives of a sandbox ({sandbox[0]}= first) are accepted; in the lab there is none"
        )
    for _, key, value in entries:
        if key in sandbox:
            continue
        if key in ("User", "Group"):
            notes.append(f"{key}={value} is accepted; in the lab every process runs as you")
        elif key not in _ACTED_ON and key not in _SILENT:
            notes.append(f"{key}= is not known in the lab, ignoring")
    return notes


def _environment(entries: list[tuple[str, str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for _, key, value in entries:
        if key == "Environment":
            for word in _words(value, key):
                name, _, setting = word.partition("=")
                pairs.append((name, setting))
    return tuple(pairs)


def _words(value: str, key: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
