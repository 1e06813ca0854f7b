"""``ground up``: starts the laptop cloud."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import click

from groundschool.cloud.process_record import record_process, write_record
from groundschool.cloud.settings import LabSettings, lab_settings
from groundschool.cloud.supervisor.lab_record import (
    LAB_FILE,
    LOG_FILE,
    SUPERVISOR_RECORD,
    hold,
    supervisor,
    write_lab,
)
from groundschool.errors import LabError, LabHeld

READY_SECONDS = 30.0


def _help(name: str) -> str:
    field = LabSettings.__dataclass_fields__[name]
    return f"{field.metadata['help']} [default: {field.default}]"


@click.command("up")
@click.option("--speed", type=float, help=_help("speed"))
@click.option("--port", type=int, help=_help("port"))
@click.option("--region", help=_help("region"))
@click.option("--vcpu", type=float, help=_help("vcpu"))
@click.option("--detach", is_flag=True, help="Return when the lab is ready; it goes on in the background.")
def command(detach: bool, **given: Any) -> None:
    """Start the laptop cloud, and stay until Ctrl-C (or return at once with --detach)."""
    settings = lab_settings(**given)
    started = time.monotonic()
    if detach:
        start_detached(settings)
        click.echo(f"✓ The lab is ready at {settings.url} ({time.monotonic() - started:.1f} s)")
        click.echo("Next: ground build")
    else:
        _supervise(settings, started)


def start_detached(settings: LabSettings) -> None:
    """Returns when the lab is ready. Raises LabError with the supervisor's own last line when it ends before."""
    home = settings.home.absolute()
    if (holder := supervisor(home)) is not None:
        raise LabHeld(f"A lab is already running in {home} (pid {holder.pid}). End it with: ground down")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / LAB_FILE).unlink(missing_ok=True)  # of a lab that was killed
    log = home / LOG_FILE
    options = ["--speed", str(settings.speed), "--port", str(settings.port)]
    options += ["--region", settings.region, "--vcpu", str(settings.vcpu)]
    with log.open("ab") as output:
        position = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "groundschool.cli", "up", *options],
            env={**os.environ, "GROUND_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabError(_last_line(log, position))
        if (home / LAB_FILE).exists():
            return
        time.sleep(0.02)
    process.terminate()
    raise LabError(f"The lab was not ready after {READY_SECONDS:.0f} s. Its log: {log}")


def _supervise(settings: LabSettings, started: float) -> None:
    home = settings.home.absolute()
    lock = hold(home)
    # moto and botocore take a second to import; a lab that is held already says so before.
    from groundschool.cloud.supervisor.lab import Lab
    from groundschool.cloud.supervisor.leftovers import clear_leftovers
    from groundschool.cloud.supervisor.memory import give_back_large_buffers

    give_back_large_buffers()
    with lock:
        write_record(record_process(os.getpid(), "supervisor"), home / SUPERVISOR_RECORD)
        try:
            _log_to(home)
            for left in clear_leftovers(home):
                click.echo(f"• Ended {left}, left by a lab that was killed")
            click.echo(f"• Starting the lab in {home}")
            lab = Lab(settings)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: lab.ask_to_stop())
            lab.start()
            try:
                write_lab(home, lab.record())
                click.echo(f"✓ Ready at {settings.url} ({time.monotonic() - started:.1f} s). {lab.budgets.reason}")
                click.echo('Next, in another shell: ground build. For aws and boto3: eval "$(ground env)"')
                lab.run()
            finally:
                click.echo("• Stopping the lab")
                lab.stop()
                click.echo("✓ Stopped; nothing is left running")
        finally:
            (home / SUPERVISOR_RECORD).unlink(missing_ok=True)


def _log_to(home: Path) -> None:
    """Details for those who look; the terminal shows one line each."""
    handler = RotatingFileHandler(home / "supervisor.log", maxBytes=2_000_000, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)


def _last_line(log: Path, position: int) -> str:
    with log.open("rb") as words:
        words.seek(position)
        lines = words.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("✗ ") if lines else f"The lab ended at once without a word. Its log: {log}"
