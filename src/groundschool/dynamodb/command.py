"""The command line of the server process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

import click

from groundschool.dynamodb.server import Settings, serve
from groundschool.errors import GroundError, UsageError

_PR_SET_PDEATHSIG = 1


@click.command(name="dynamodb")
@click.option("--host", default=Settings.host, show_default=True, help="Address to listen on.")
@click.option("--port", default=Settings.port, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--memory", is_flag=True, help="Keep everything in memory; it is gone when the process ends.")
@click.option("--data", type=click.Path(path_type=Path, dir_okay=False), help="Keep everything in this file.")
@click.option("--power-safe", is_flag=True, help="With --data: every write survives a power cut as well.")
@click.option("--account-id", default=Settings.account_id, show_default=True, help="The account in ARNs.")
@click.option("--policy-file", type=click.Path(path_type=Path, dir_okay=False), help="Who may do what (JSON).")
@click.option("--throttle", is_flag=True, help="Throttle as AWS's partitions and tables do.")
@click.option("--die-with-parent", is_flag=True, help="End when the starting process ends (Linux).")
def command(
    host: str,
    port: int,
    memory: bool,
    data: Path | None,
    power_safe: bool,
    account_id: str,
    policy_file: Path | None,
    throttle: bool,
    die_with_parent: bool,
) -> None:
    """Serve an embedded DynamoDB for boto3, the AWS CLI and any AWS SDK.

    Point clients at it with AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000; any credentials will do.
    """
    try:
        if memory == (data is not None):
            raise UsageError("Say where to keep the data: --memory, or --data FILE.")
        if die_with_parent:
            _die_with_parent()
        settings = Settings(host, port, data, power_safe, account_id, policy_file, throttle)
        serve(settings, lambda chosen: print(f"DynamoDB is ready on http://{host}:{chosen}", flush=True))
    except GroundError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _die_with_parent() -> None:
    """Asks the kernel for SIGTERM when the parent ends. Only Linux can do that; elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise GroundError("The starting process ended before this one was ready.")
