"""``ground load``: puts traffic on the Visitor Board."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.live import Live
from rich.text import Text

from groundschool.cli.confirm import yes_option
from groundschool.cli.load_elsewhere import agree
from groundschool.cli.world import enter, flag, on_option
from groundschool.cloud.settings import lab_settings
from groundschool.errors import LoadError, UsageError
from groundschool.traffic.destination import base_url, destination, is_elsewhere
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings, Loop
from groundschool.traffic.tally import LoadReport, Snapshot
from groundschool.workshop.world import World

DEFAULT_USERS = 10
DEFAULT_SECONDS = 60.0


@click.command("load")
@click.option(
    "--users", type=click.IntRange(min=1), help=f"Closed loop: so many users who think. Default {DEFAULT_USERS}."
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Open loop: so many requests per second.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_SECONDS,
    show_default=True,
    help="Seconds of real time.",
)
@click.option("--url", help="The board. Default: the load balancer that ground build made.")
@on_option
@yes_option
@click.option("--json", "as_json", is_flag=True, help="A JSON line per second, and the report as the last one.")
def command(
    users: int | None, rate: float | None, duration: float, url: str | None, on: str, yes: bool, as_json: bool
) -> None:
    """Put traffic on the Visitor Board.

    Nine page views to one post. With --rate, requests start on schedule however slow the answers are, and latency is
    measured from the scheduled start; with --users, each user waits for the answer and thinks about a second. Ctrl-C
    ends the load and still prints the summary. Exits with 1 when any request failed.

    Load that leaves this machine, to AWS or any other --url, is bounded, and it is asked whether the board is yours.
    """
    if users is not None and rate is not None:
        raise UsageError("Give --users or --rate, not both: a load is either users who wait or a rate that does not")
    world = None if url else enter(on)
    board = find_board(world) if world else str(url)
    level, loop = (float(users or DEFAULT_USERS), Loop.CLOSED) if rate is None else (rate, Loop.OPEN)
    elsewhere = is_elsewhere(board)
    settings = load_settings(board, LoadShape.constant(level, duration), loop, agreed=elsewhere)
    if elsewhere:
        agree(board, settings, world.region if world else None, yes=yes)
    console = Console(highlight=False)
    with LoadRun(settings) as run:
        try:
            for snapshot in _shown(run, console, as_json=as_json):
                if as_json:
                    click.echo(json.dumps({"snapshot": asdict(snapshot)}))
        except KeyboardInterrupt:
            if not as_json:
                console.print("• Ending the load ...")
        report = run.stop()
    if as_json:
        click.echo(json.dumps({"report": asdict(report)}))
    else:
        for line in summary(report):
            console.print(line, markup=False)
        console.print(f"Next: ground watch{flag(on)}")
    raise SystemExit(1 if report.failed else 0)


def find_board(world: World) -> str:
    """The URL of the workshop's load balancer; in the lab its DNS name carries the port. Raises LoadError."""
    try:
        balancers = world.elbv2.describe_load_balancers(Names=[world.name])["LoadBalancers"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "LoadBalancerNotFound":
            raise LoadError(f"AWS did not tell where the board is: {error}") from error
        balancers = []
    except BotoCoreError as error:
        raise LoadError(f"No AWS answers ({error}). Start a lab with: ground up") from error
    if not balancers:
        raise LoadError(f"There is no load balancer named {world.name} in {world.region}. Make it with: ground build")
    return f"http://{balancers[0]['DNSName']}/"


def load_settings(url: str, shape: LoadShape, loop: Loop, *, agreed: bool = False) -> LoadSettings:
    """The settings for a board at ``url``; the ids of acknowledged posts go into the state folder."""
    endpoint = destination(url, agreed=agreed)
    acknowledged = acknowledged_file()
    acknowledged.parent.mkdir(parents=True, exist_ok=True)
    return LoadSettings(
        base_url=base_url(endpoint),
        host_header=endpoint.host_header,
        shape=shape,
        loop=loop,
        acknowledged_file=str(acknowledged),
    )


def acknowledged_file() -> Path:
    """Where the last load remembered its acknowledged posts."""
    return lab_settings().home / "load" / "acknowledged-posts.txt"


def _shown(run: LoadRun, console: Console, *, as_json: bool) -> Iterator[Snapshot]:
    """Passes the snapshots on; shows each in place on a terminal, as a line when piped, not at all for JSON."""
    with _line(console, live=console.is_terminal and not as_json) as live:
        for snapshot in run.snapshots():
            if live is not None:
                live.update(Text(second(snapshot)))
            elif not as_json:
                console.print(second(snapshot), soft_wrap=True, markup=False)
            yield snapshot


@contextmanager
def _line(console: Console, *, live: bool) -> Iterator[Live | None]:
    if not live:
        yield None
        return
    with Live(console=console, transient=True, refresh_per_second=4) as shown:
        yield shown


def second(snapshot: Snapshot) -> str:
    """One second of load as a line."""
    waiting = f" ({snapshot.waiting} waiting)" if snapshot.waiting else ""
    return (
        f"{snapshot.at:5.0f} s  {snapshot.requests:5d} answers  "
        f"{snapshot.failures} failed  {snapshot.in_flight} in flight{waiting}  "
        f"p50 {milliseconds(snapshot.latency.p50)}  p95 {milliseconds(snapshot.latency.p95)}  "
        f"max {milliseconds(snapshot.latency.max)}  {shares(snapshot.served_by)}"
    ).rstrip()


def shares(served_by: dict[str, int]) -> str:
    """Who answered how much of it."""
    total = sum(served_by.values())
    return "  ".join(f"{instance} {count / total:.0%}" for instance, count in sorted(served_by.items()))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def summary(report: LoadReport) -> list[str]:
    """The report as lines."""
    latency, mark = report.latency, "✗" if report.failed else "✓"
    percentiles = {"p50": latency.p50, "p90": latency.p90, "p95": latency.p95, "p99": latency.p99, "max": latency.max}
    lines = [
        f"{mark} {report.requests:,} requests in {report.seconds:.0f} s, {report.failed} failed",
        *(f"  {count:,} x {reason}" for reason, count in report.failures.items()),
        "  Latency: " + ", ".join(f"{name} {milliseconds(value)}" for name, value in percentiles.items()),
    ]
    if report.served_by:
        lines.append(f"  Served by {len(report.served_by)} instance(s): {shares(report.served_by)}")
    if report.acknowledged_posts:
        lines.append(f"  {report.acknowledged_posts:,} posts acknowledged, {report.remembered_posts:,} remembered")
    return lines
