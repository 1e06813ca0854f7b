"""The verbs of ``systemctl``, with systemd's texts and exit codes. Manual: systemctl(1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .service import Service, Surroundings
from .unit_file import UnitFile, parse_unit

Reply = Callable[[int, str, str], None]
"""Exit code, standard output, standard error; called once, maybe later."""

VERBS = ("daemon-reload", "enable", "disable", "start", "stop", "restart", "status", "is-active", "is-enabled")
_STATUS_LINES = 10


class ServiceControl:
    def __init__(self, surroundings: Surroundings) -> None:
        self._at = surroundings
        self._units = surroundings.root / "etc/systemd/system"
        self._services: dict[str, Service] = {}

    def start_enabled(self) -> None:
        """At boot: whatever a target wants. ``enable`` alone starts nothing before the next boot."""
        for link in sorted(self._units.glob("*.wants/*.service")):
            self._start(link.name)

    def stop_all(self, then: Callable[[], None]) -> None:
        waiting = [service for service in self._services.values() if service.pid is not None]
        left = len(waiting)
        for service in self._services.values():
            if service.pid is None:
                service.stop()

        def one_stopped() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                then()

        for service in waiting:
            service.stop(one_stopped)
        if not waiting:
            then()

    def out_of_memory(self, pid: int, ancestors: list[int]) -> None:
        """``pid`` is about to be killed; ``ancestors`` say whose unit it is in."""
        for service in self._services.values():
            if service.pid in ancestors:
                service.out_of_memory(pid)

    def handle(self, arguments: list[str], reply: Reply) -> None:
        """One call of ``systemctl``; ``arguments`` without the program's name."""
        flags = {word for word in arguments if word.startswith("-")}
        words = [word for word in arguments if not word.startswith("-")]
        verb, names = (words[0] if words else ""), [_full(name) for name in words[1:]]
        if verb not in VERBS:
            reply(1, "", f"Unknown command verb '{verb}'. The lab's systemctl knows: {', '.join(VERBS)}.\n")
        elif verb == "daemon-reload":
            reply(0, "", "")  # the lab reads a unit file each time it starts the unit
        elif not names:
            reply(1, "", "Too few arguments.\n")
        elif verb in ("stop", "restart"):
            self._stop_then(names, verb == "restart", reply)
        else:
            reply(*self._at_once(verb, names, flags))

    def _at_once(self, verb: str, names: list[str], flags: set[str]) -> tuple[int, str, str]:
        exit_code, output, errors = 0, "", ""
        for name in names:
            code, out, err = self._one(verb, name, flags)
            exit_code, output, errors = max(exit_code, code), output + out, errors + err
        return exit_code, ("" if {"-q", "--quiet"} & flags else output), errors

    def _one(self, verb: str, name: str, flags: set[str]) -> tuple[int, str, str]:
        if verb == "enable":
            return self._enable(name, "--now" in flags)
        if verb == "disable":
            return self._disable(name, "--now" in flags)
        if verb == "start":
            return self._start(name)
        if verb == "is-enabled":
            return (0, "enabled\n", "") if self._links(name) else (1, "disabled\n", "")
        if verb == "is-active":
            service = self._services.get(name)
            state = service.state if service else "inactive"
            return (0 if state == "active" else 3), f"{state}\n", ""
        return self._status(name)

    def _load(self, name: str) -> UnitFile:
        """Raises FileNotFoundError, or ValueError for a unit that cannot be started."""
        return parse_unit(name, (self._units / name).read_text())

    def _start(self, name: str) -> tuple[int, str, str]:
        try:
            unit = self._load(name)
        except FileNotFoundError:
            return 5, "", f"Failed to start {name}: Unit {name} not found.\n"
        except ValueError as error:
            self._at.journal(f"{name}: {error}")
            return 1, "", f"Failed to start {name}: Unit {name} has a bad unit file setting. {error}\n"
        service = self._services.get(name)
        if service is None:
            service = self._services[name] = Service(unit, self._at)
        if service.pid is None:
            service.unit = unit
            for note in unit.notes:
                self._at.journal(f"{name}: {note}")
        if service.start():
            return 0, "", ""
        return 1, "", f'Job for {name} failed. See "systemctl status {name}" and "journalctl -u {name}" for details.\n'

    def _stop_then(self, names: list[str], start_again: bool, reply: Reply) -> None:
        left = len(names)
        results: list[tuple[int, str, str]] = []

        def finish(result: tuple[int, str, str]) -> None:
            nonlocal left
            results.append(result)
            left -= 1
            if left == 0:
                reply(max(code for code, _, _ in results), "", "".join(errors for _, _, errors in results))

        for name in names:
            service = self._services.get(name)
            if service is not None:
                service.stop(lambda name=name: finish(self._start(name) if start_again else (0, "", "")))  # type: ignore[misc]
            elif start_again:
                finish(self._start(name))
            elif (self._units / name).exists():
                finish((0, "", ""))
            else:
                finish((5, "", f"Failed to stop {name}: Unit {name} not loaded.\n"))

    def _enable(self, name: str, now: bool) -> tuple[int, str, str]:
        try:
            unit = self._load(name)
        except FileNotFoundError:
            return 1, "", f"Failed to enable unit: Unit file {name} does not exist.\n"
        except ValueError as error:
            return 1, "", f"Failed to enable unit: {name}: {error}\n"
        errors = ""
        if not unit.wanted_by:
            errors = "The unit files have no installation config (WantedBy= in the [Install] section).\n"
        for target in unit.wanted_by:
            link = self._units / f"{target}.wants" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(Path("..", name))
                errors += f"Created symlink /{link.relative_to(self._at.root)} → /etc/systemd/system/{name}.\n"
        code, _, more = self._start(name) if now else (0, "", "")
        return code, "", errors + more

    def _disable(self, name: str, now: bool) -> tuple[int, str, str]:
        errors = ""
        for link in self._links(name):
            link.unlink()
            errors += f"Removed /{link.relative_to(self._at.root)}.\n"
        if now and name in self._services:
            self._services[name].stop()
        return 0, "", errors

    def _links(self, name: str) -> list[Path]:
        return sorted(self._units.glob(f"*.wants/{name}"))

    def _status(self, name: str) -> tuple[int, str, str]:
        service = self._services.get(name)
        if service is None and not (self._units / name).exists():
            return 4, "", f"Unit {name} could not be found.\n"
        enabled = "enabled" if self._links(name) else "disabled"
        lines = [f"● {service.label if service else name}"]
        lines.append(f"     Loaded: loaded (/etc/systemd/system/{name}; {enabled})")
        lines.append(f"     Active: {_active(service)}")
        if service is not None:
            if service.pid is not None:
                lines.append(f"   Main PID: {service.pid}")
            lines += ["", *tail(service.log, _STATUS_LINES)]
        running = service is not None and service.state in ("active", "activating", "deactivating")
        return (0 if running else 3), "\n".join(lines) + "\n", ""


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, read from its last 16 KiB."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 16384))
            return log.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def _active(service: Service | None) -> str:
    if service is None:
        return "inactive (dead)"
    detail = {
        "active": "active (running)",
        "activating": "activating (start)" if service.pid is not None else "activating (auto-restart)",
        "deactivating": "deactivating (stop-sigterm)",
        "failed": f"failed (Result: {service.result})",
    }.get(service.state, "inactive (dead)")
    return f"{detail} since {time.strftime('%a %Y-%m-%d %H:%M:%S UTC', time.gmtime(service.since))}"


def _full(name: str) -> str:
    return name if "." in name else f"{name}.service"
