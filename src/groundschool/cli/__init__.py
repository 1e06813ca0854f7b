"""The command line: one module per verb, listed here in the order of the story."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from groundschool import __version__
from groundschool.errors import GroundError

VERBS = {
    "demo": "See the whole system built, loaded and scaled, in a few minutes.",
    "doctor": "Check this machine beforehand, with a remedy for each finding.",
    "up": "Start the laptop cloud.",
    "env": "Print what makes aws and boto3 reach it.",
    "build": "Build the workshop's system, component by component.",
    "check": "Check what is built, by asking AWS and by real requests.",
    "bake": "Make a golden image of the release, so that instances boot faster.",
    "release": "Write the app's release and install script, to build by hand.",
    "load": "Put load on the Visitor Board.",
    "watch": "Watch which instance serves, and the group scale.",
    "cost": "Tell what it costs on AWS, and what that scaling just did.",
    "status": "Show everything that is alive in the lab.",
    "shell": "Open a shell inside an instance.",
    "rehearse": "Play a session's runbook, for those who will teach it.",
    "fault": "Break something on purpose, and mend it again.",
    "dynamodb": "Run the embedded DynamoDB-compatible store alone.",
    "down": "End the laptop cloud and prove that nothing is left.",
}
"""In the order in which a learner meets them. A module is imported only when its verb is used: start-up time."""


class Story(click.Group):
    """Lists the verbs in the order of the story, and shows errors as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"groundschool.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("The story, in order"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GroundError as error:
            click.echo(f"✗ {error}", err=True)
            raise SystemExit(error.exit_code) from None


@click.group(cls=Story, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ground")
def main() -> None:
    """Ground School: learn system design on AWS, hands-on, on a laptop cloud whose parts are real.

    Start with: ground demo
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
