"""``ground demo``: the whole workshop in a few minutes, and nothing left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from groundschool.cli.demo_driver import ENOUGH, FIRST_RATE, Driver
from groundschool.cli.demo_lab import Lab
from groundschool.cli.demo_record import Record, bill_table
from groundschool.cli.load import acknowledged_file, find_board, load_settings, summary
from groundschool.cli.watch import ShareSampler
from groundschool.errors import LabError, LoadError
from groundschool.traffic.acknowledged import lost_posts, reader
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import Loop
from groundschool.traffic.tally import LoadReport
from groundschool.workshop.cost import estimate, running
from groundschool.workshop.observation import Clients, Observation, observe
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

SPEED = 20.0
"""AWS needs 3 minutes to scale out and 15 to scale in; at this speed the demo stays below five real minutes."""

LOOK_EVERY = 0.5

HOLD_LAB_SECONDS = 180.0
"""How long the larger group is shown under load."""

OUT_LAB_SECONDS, IN_LAB_SECONDS = 20 * 60.0, 35 * 60.0
REAL_ALLOWANCE = 60.0
"""Scaling may take so many lab seconds, and so many real seconds for what a lab cannot speed up, like booting."""

SERVING_TIMEOUT = 60.0


@click.command("demo")
@click.option("--speed", type=click.FloatRange(min=1), default=SPEED, show_default=True, help="AWS time per real time.")
def command(speed: float) -> None:
    """See the whole system built, loaded, scaled out and in again, in under five minutes.

    Starts a lab, builds everything, raises the load until the group has four instances, stops it and waits until the
    group is back at its minimum. Ends what it started, whatever happens. Exits with 1 when a request failed, a post was
    lost or the group did not scale.
    """
    console, started = Console(highlight=False, soft_wrap=True), time.monotonic()
    record = Record(speed, lambda: time.monotonic() - started, lambda line: console.print(line, markup=False))
    # A demo that is told to end still takes its lab down.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Lab(speed) as lab:
            lab.build()
            world = World.from_environment()
            clients = Clients.of(world.session)
            look = partial(observe, clients, world.name)
            demo = Demo(world.settings, find_board(world), speed, look, record, console)
            demo.show_serving()
            failed_checks = demo.scale_out_and_in()
    except (ClientError, BotoCoreError) as error:
        raise LabError(f"The lab stopped answering: {error}") from error
    for check in failed_checks:
        console.print(f"✗ {check}", markup=False)
    console.print(f"The demo took {time.monotonic() - started:.0f} s. Next: ground up, then ground build --session 1")
    raise SystemExit(1 if failed_checks else 0)


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise KeyboardInterrupt


class Demo:
    """Drives the load and watches the group. Times in real seconds where not said otherwise."""

    def __init__(
        self,
        settings: WorkshopSettings,
        url: str,
        speed: float,
        look: Callable[[], Observation],
        record: Record,
        console: Console,
    ) -> None:
        self._settings, self._url, self._speed = settings, url, speed
        self._observe, self._record, self._console = look, record, console

    def show_serving(self) -> None:
        """Returns when two instances have answered page views; raises LoadError when they do not."""
        sampler, deadline = ShareSampler(self._url), time.monotonic() + SERVING_TIMEOUT
        while len(shares := sampler.sample()) < self._settings.desired_capacity:
            if time.monotonic() > deadline:
                raise LoadError(f"{self._url} is served by {len(shares)} instance(s). Look at: ground status")
            time.sleep(LOOK_EVERY)
        self._record.tell(f"{self._url} is served by {' and '.join(shares)}")

    def scale_out_and_in(self) -> list[str]:
        """Prints the summary and returns what went wrong, a sentence each."""
        settings = load_settings(self._url, LoadShape.constant(FIRST_RATE), Loop.OPEN)
        with LoadRun(settings) as run:
            driver = Driver(run)
            out = self._until(driver, self._large_enough, OUT_LAB_SECONDS, drive=True)
            if out:
                self._hold(driver)
            driver.quieten()
            self._record.tell(f"The crowd leaves: {driver.rate:.1f} requests/s from now on")
            back = self._until(driver, self._back_at_minimum, IN_LAB_SECONDS, drive=False)
            report = run.stop()
        self._summarise(report)
        return self._failed_checks(report, out=out, back=back)

    def _until(self, driver: Driver, done: Callable[[Observation], bool], lab_seconds: float, *, drive: bool) -> bool:
        deadline = time.monotonic() + lab_seconds / self._speed + REAL_ALLOWANCE
        while time.monotonic() < deadline:
            seen = self._look(driver)
            if done(seen):
                return True
            if drive:
                self._tell_drive(driver, seen)
            time.sleep(LOOK_EVERY)
        return False

    def _hold(self, driver: Driver) -> None:
        deadline = time.monotonic() + HOLD_LAB_SECONDS / self._speed
        while time.monotonic() < deadline:
            self._tell_drive(driver, self._look(driver))
            time.sleep(LOOK_EVERY)

    def _tell_drive(self, driver: Driver, seen: Observation) -> None:
        if told := driver.drive(seen):
            self._record.tell(told)

    def _look(self, driver: Driver) -> Observation:
        seen = self._observe()
        self._record.look(seen, driver.run.latest, driver.rate)
        if driver.run.over:
            raise LoadError("The load generator has ended by itself")
        return seen

    @staticmethod
    def _large_enough(seen: Observation) -> bool:
        return len(seen.in_service) >= ENOUGH and len(seen.healthy_targets) >= ENOUGH

    @staticmethod
    def _back_at_minimum(seen: Observation) -> bool:
        return seen.desired == len(seen.members) == seen.minimum

    def _summarise(self, report: LoadReport) -> None:
        console, settings = self._console, self._settings
        bill = estimate(self._record.usage(report, settings.instance_type))
        at_rest = estimate(running(settings.desired_capacity, settings.instance_type))
        console.print()
        console.print(self._record.timeline())
        for line in summary(report):
            console.print(line, markup=False)
        console.print()
        console.print(bill_table(bill))
        console.print(
            f"On AWS this run would have taken {bill.seconds / 60:.0f} minutes and cost ${bill.total:.2f}. At rest, "
            f"with {settings.desired_capacity} instances, the design costs ${at_rest.per_hour:.3f} per hour or "
            f"${at_rest.per_month:.0f} per month. Prices as recorded on {bill.recorded}; not included: "
            f"{'; '.join(bill.not_included)}."
        )

    def _failed_checks(self, report: LoadReport, *, out: bool, back: bool) -> list[str]:
        lost = lost_posts(reader(self._url), acknowledged_file().read_text(encoding="utf-8").split())
        if not lost:
            self._console.print(f"✓ All {report.remembered_posts} acknowledged posts are on the board")
        checks = {
            f"{report.failed} of {report.requests} requests failed": report.failed > 0,
            f"{len(lost)} acknowledged posts are not on the board any more": bool(lost),
            f"The group reached {self._record.most_in_service} instances, not {ENOUGH}": not out,
            "The group did not come back to its minimum in time": not back,
        }
        return [check for check, failed in checks.items() if failed]
