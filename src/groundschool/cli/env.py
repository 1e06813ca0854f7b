"""``ground env``: what makes unmodified AWS clients reach the lab."""

from __future__ import annotations

import shlex

import click

from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import running_lab


@click.command("env")
def command() -> None:
    """Print exports for your shell: eval "$(ground env)".

    Afterwards plain aws and boto3 work on the lab. To leave it, open another shell.
    """
    for name, value in running_lab(lab_settings().home).environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")
