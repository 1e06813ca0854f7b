"""``ground down``: ends the lab, or what was built on AWS, and proves that nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import click

from groundschool.cli.confirm import yes_option
from groundschool.cli.world import AWS, enter, on_option
from groundschool.cloud.process_record import ProcessRecord, end, is_running, processes_with_environment
from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import LAB_FILE, SUPERVISOR_RECORD, hold, supervisor
from groundschool.errors import LabError, UsageError

GRACE_SECONDS = 30.0


@click.command("down")
@on_option
@yes_option
def command(on: str, yes: bool) -> None:
    """End the laptop cloud: instances, network, store, supervisor. Its state folder keeps only the logs.

    With --on aws: remove all that carries the workshop's tag from your account, and ask AWS whether anything is left.
    """
    if on == AWS:
        from groundschool.cli.leave_aws import leave_aws  # boto3: the lab ends sooner without it

        leave_aws(enter(on), yes=yes)
        return
    if yes:
        raise UsageError("--yes is for --on aws: the lab is ended without a question")
    _end_lab()


def _end_lab() -> None:
    home = lab_settings().home.absolute()
    if not home.exists():
        click.echo("✓ No lab has been here")
        return
    holder = supervisor(home)
    started = time.monotonic()
    if holder is not None:
        click.echo(f"• Stopping the lab in {home} (pid {holder.pid})")
        _ask(holder)
    ended = _clear(home)
    for left in ended:
        click.echo(f"• Ended {left}, left by a lab that was killed")
    _prove(home)
    click.echo(f"✓ Nothing is left running ({time.monotonic() - started:.1f} s)")


def _ask(holder: ProcessRecord) -> None:
    """The supervisor takes its own things down; one that does not is ended with all its descendants."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while is_running(holder) and time.monotonic() < deadline:
        time.sleep(0.02)
    end(holder)


def _clear(home: Path) -> list[str]:
    from groundschool.cloud.supervisor.leftovers import clear_leftovers

    with hold(home):
        ended = clear_leftovers(home)
        (home / LAB_FILE).unlink(missing_ok=True)
        (home / SUPERVISOR_RECORD).unlink(missing_ok=True)
    return ended


def _prove(home: Path) -> None:
    """Looks for anything that still carries an instance folder of this lab in its environment."""
    holder = supervisor(home)
    if holder is not None and is_running(holder):
        raise LabError(f"The supervisor (pid {holder.pid}) does not end. Its log: {home / 'supervisor.log'}")
    instances = home / "instances"
    for folder in instances.glob("i-*") if instances.exists() else ():
        if left := processes_with_environment("INSTANCE_ROOT", str(folder)):
            raise LabError(f"Still running in {folder.name}: pids {', '.join(map(str, left))}")
