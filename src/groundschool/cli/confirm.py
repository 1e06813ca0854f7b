"""Asks before something costs money or cannot be undone."""

from __future__ import annotations

import sys

import click

from groundschool.errors import UsageError

yes_option = click.option("--yes", is_flag=True, help="Do not ask. For scripts; says the same.")


def confirm(question: str, *, yes: bool) -> None:
    """Returns when the user agrees, or has by ``--yes``. Ends the command with 1 when not; UsageError when there is
    nobody to ask."""
    if yes:
        return
    if not is_terminal():
        raise UsageError("This asks first, and there is no terminal to ask on. Read what it says, then add --yes")
    if not click.confirm(question, err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


def is_terminal() -> bool:
    return sys.stdin.isatty()
