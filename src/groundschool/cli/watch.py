"""``ground watch``: what the group does, live."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.live import Live

from groundschool.cli.load import find_board
from groundschool.cli.watch_view import HISTORY, Scene, view
from groundschool.cli.world import LAB, enter, flag, on_option
from groundschool.endpoint import fetch
from groundschool.errors import LabError, LoadError
from groundschool.workshop.observation import Clients, Observation, observe
from groundschool.workshop.observation_changes import changes, status_line
from groundschool.workshop.world import World

LAB_INTERVAL, AWS_INTERVAL = 2.0, 5.0
"""Seconds. AWS throttles describe calls, for the whole account, when several people look often."""

SAMPLES_PER_LOOK = 4
SAMPLES_KEPT = 40
"""Page views by which the share of each instance is judged: enough for steps of a few per cent, little load."""

SAMPLE_TIMEOUT = 2.0


@click.command("watch")
@click.option("--group", help="The Auto Scaling group. Default: the one that ground build made.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2),
    help=f"Seconds of real time between two looks. Default {LAB_INTERVAL:g}, on AWS {AWS_INTERVAL:g}.",
)
@on_option
@click.option("--json", "as_json", is_flag=True, help="A JSON line per look.")
def command(group: str | None, interval: float | None, on: str, as_json: bool) -> None:
    """Watch the group scale: instances, their share of the requests, CPU, alarms, capacity, activities.

    A live view on a terminal; when piped, a line per event and a status line per look. It sends a few page views per
    look to see who serves. Ctrl-C ends it.
    """
    world = enter(on)
    name = group or world.name
    scenes = _scenes(world, name, interval or (LAB_INTERVAL if on == LAB else AWS_INTERVAL))
    try:
        if as_json:
            _as_json(scenes)
        elif (console := Console(highlight=False)).is_terminal:
            _live(scenes, console)
        else:
            _as_lines(scenes)
    except KeyboardInterrupt:
        return
    except (ClientError, BotoCoreError) as error:
        raise LabError(f"AWS stopped answering: {error}. Look at: ground status{flag(on)}") from error


def _scenes(world: World, group: str, interval: float) -> Iterator[Scene]:
    clients = Clients.of(world.session)
    sampler = ShareSampler(_board(world))
    history: deque[Observation] = deque(maxlen=HISTORY)
    while True:
        started = time.monotonic()
        history.append(observe(clients, group))
        yield Scene(tuple(history), sampler.sample())
        time.sleep(max(0.0, started + interval - time.monotonic()))


def _board(world: World) -> str | None:
    try:
        return find_board(world)
    except LoadError:
        # A group can be watched before its load balancer is there.
        return None


class ShareSampler:
    """Who answered the last page views, by the X-Served-By header; a request without an answer counts as nobody's."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._seen: deque[str] = deque(maxlen=SAMPLES_KEPT)

    def sample(self) -> dict[str, float]:
        """Looks a few times; the share of each instance in the views that are kept, 0 to 1."""
        for _ in range(SAMPLES_PER_LOOK if self._url else 0):
            served_by = self._look()
            if served_by:
                self._seen.append(served_by)
        return {instance: self._seen.count(instance) / len(self._seen) for instance in sorted(set(self._seen))}

    def _look(self) -> str | None:
        assert self._url is not None
        try:
            headers = fetch(self._url, timeout=SAMPLE_TIMEOUT).headers
        except OSError:
            return None
        return {name.lower(): value for name, value in headers.items()}.get("x-served-by")


def _live(scenes: Iterator[Scene], console: Console) -> None:
    with Live(console=console, auto_refresh=False, screen=False) as live:
        for scene in scenes:
            live.update(view(scene), refresh=True)


def _as_lines(scenes: Iterator[Scene]) -> None:
    for scene in scenes:
        at = f"{scene.now.at.astimezone():%H:%M:%S}"
        for event in changes(scene.before, scene.now):
            click.echo(f"{at}  {event.says}")
        served = "  ".join(f"{instance} {share:.0%}" for instance, share in scene.shares.items())
        click.echo(f"{at}  {status_line(scene.now)}{' · requests: ' + served if served else ''}")


def _as_json(scenes: Iterator[Scene]) -> None:
    for scene in scenes:
        events = [asdict(event) for event in changes(scene.before, scene.now)]
        line = {"observation": asdict(scene.now), "events": events, "shares": scene.shares}
        click.echo(json.dumps(line, default=_json))


def _json(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()
