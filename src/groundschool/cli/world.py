"""Points a verb at the world it works on: this laptop's lab, or the user's AWS account."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import running_lab

if TYPE_CHECKING:
    from groundschool.workshop.world import World

LAB, AWS = "lab", "aws"

on_option = click.option(
    "--on",
    type=click.Choice((LAB, AWS)),
    default=LAB,
    show_default=True,
    envvar="GROUND_ON",
    show_envvar=True,
    help="The laptop's lab, or the AWS account of your own credentials.",
)
"""For every verb that works in both worlds; the verb passes its value to :func:`enter`."""


def enter(on: str = LAB) -> World:
    """The world to work in.

    In the lab this process's AWS variables are set to it; a profile of the user's own would win over the lab's
    credentials, so it is taken out of this process. On AWS the credentials are tried once, and a line on stderr says
    whose they are. Raises LabNotRunning, UsageError or AccountError.
    """
    from groundschool.workshop.account import aws_world, identify  # boto3: start-up time of verbs that stay in the lab
    from groundschool.workshop.world import World

    if on == AWS:
        world = aws_world()
        click.echo(f"• {identify(world)}", err=True)
        return world
    record = running_lab(lab_settings().home)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(record.environment())
    return World.from_environment()


def flag(on: str) -> str:
    """What a command needs to mean the same world."""
    return "" if on == LAB else f" --on {on}"
