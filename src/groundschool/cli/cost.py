"""``ground cost``: what it costs on AWS: what is here, what a design would, and today's prices."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from groundschool.cli.cost_view import (
    as_object,
    bill_table,
    notes,
    outlook_object,
    outlook_table,
    prices_object,
    wide_console,
)
from groundschool.cli.what_it_costs import prices_folder
from groundschool.cli.world import LAB, enter, on_option
from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import running_lab
from groundschool.errors import BuildError, PriceError, UsageError
from groundschool.workshop.cost import NOT_INCLUDED, bill
from groundschool.workshop.cost_design import SESSIONS, Outlook, assumptions, design, design_uses, outlook
from groundschool.workshop.cost_found import Found, find
from groundschool.workshop.cost_prices import INSTANCE_HOUR, PRICED_REGION, price_list
from groundschool.workshop.cost_refresh import ENDPOINT_REGION, refresh
from groundschool.workshop.cost_traffic import Window, measure
from groundschool.workshop.cost_used import hourly, used
from groundschool.workshop.settings import WorkshopSettings

AGO = re.compile(r"(\d+(?:\.\d+)?)(m|h)")


@click.command("cost")
@click.option("--design", "on_paper", is_flag=True, help="The design on paper; needs no lab and no account.")
@click.option("--instances", type=click.IntRange(min=1), help="With --design: how many. Default: as built.")
@click.option("--rate", type=click.FloatRange(min=0), default=0.0, help="With --design: requests per second, always.")
@click.option("--since", help="From 30m or 2h ago (AWS's time), 14:05, or an ISO time on. Default: all of it.")
@click.option("--refresh", "ask_aws", is_flag=True, help="Get today's prices from AWS's Price List API.")
@click.option("--region", help="With --design and --refresh: the region. Default: that of AWS's configuration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the resources behind each line.")
@on_option
def command(
    on_paper: bool,
    instances: int | None,
    rate: float,
    since: str | None,
    ask_aws: bool,
    region: str | None,
    as_json: bool,
    on: str,
) -> None:
    """Tell what this costs on AWS: so far, and per hour, per session and per month.

    It bills what exists and what it did, by describe calls and CloudWatch metrics. In the lab, lab time is AWS's time:
    four minutes at speed 10 are billed as forty, with the requests per second that really came.
    """
    if not on_paper and (instances or rate):
        raise UsageError("--instances and --rate describe a design on paper. Add: --design")
    if region and not (on_paper or ask_aws):
        raise UsageError(
            "The bill of what exists has the region it exists in. --region goes with --design or --refresh"
        )
    if ask_aws:
        _refresh(region or _configured_region())
    elif on_paper:
        settings = WorkshopSettings()
        _design(instances or settings.desired_capacity, rate, region or PRICED_REGION, settings, as_json)
    else:
        _actual(on, since, as_json)


def _actual(on: str, since: str | None, as_json: bool) -> None:
    world = enter(on)
    speed = running_lab(lab_settings().home).speed if on == LAB else 1.0
    try:
        found = find(world)
        window = _window(found, since, speed)
        traffic = measure(world, found, window)
    except (ClientError, BotoCoreError) as error:
        raise BuildError(f"AWS did not tell what exists: {error}") from error
    prices = price_list(world.region, prices_folder())
    billed = used(found, traffic, window, prices.baselines)
    so_far = bill(billed, prices, window.seconds)
    types = [use.price.partition("/")[2] for use in billed if use.price.startswith(INSTANCE_HOUR)]
    ahead = outlook(hourly(found, billed, window), prices, (types or [world.settings.instance_type])[0])
    if as_json:
        times = {"since": window.since.isoformat(), "until": window.until.isoformat(), "speed": speed}
        document = {"prices": prices_object(so_far), **times, "so_far": as_object(so_far), **outlook_object(ahead)}
        click.echo(json.dumps({**document, "sessions_are": SESSIONS, "not_included": NOT_INCLUDED}, indent=2))
        return
    console = wide_console()
    at_speed = "" if speed == 1 else f", {_span(window.seconds)} of AWS's time at speed {speed:g}"
    took = (window.until - window.since).total_seconds()
    console.print(f"{world.region}, {_clock(window.since)} to {_clock(window.until)}: {_span(took)}{at_speed}\n")
    console.print(bill_table(so_far, "So far"))
    console.print()
    console.print(outlook_table(ahead, "Left as it is"))
    _footer(console, ahead, [SESSIONS, "traffic ahead: as on average so far"], notes(so_far, ahead.hour))


def _design(instances: int, rate: float, region: str, settings: WorkshopSettings, as_json: bool) -> None:
    prices = price_list(region, prices_folder())
    hour = design_uses(design(instances, rate, settings), prices)
    ahead = outlook(hour, prices, settings.instance_type)
    assumed = assumptions(instances, rate, settings)
    if as_json:
        document = {"prices": prices_object(ahead.hour), "assumptions": assumed, **outlook_object(ahead)}
        click.echo(json.dumps({**document, "not_included": NOT_INCLUDED}, indent=2))
        return
    console = wide_console()
    console.print(outlook_table(ahead, f"On paper, {region}"))
    _footer(console, ahead, assumed, notes(ahead.hour))


def _footer(console: Console, ahead: Outlook, assumed: list[str], said: list[str]) -> None:
    for title, sentences in (("Assumed", assumed), ("Notes", said), ("Not included", list(NOT_INCLUDED))):
        if sentences:
            console.print(f"\n{title}")
            for sentence in sentences:
                console.print(f"  • {sentence}", markup=False)
    prices = prices_object(ahead.hour)
    console.print(
        f"\nPrices of {prices['region']}, recorded {prices['recorded']}, {prices['origin']}. D documented by AWS, O "
        "observed, I inferred, API the Price List API.\nNewer ones, with AWS credentials: ground cost --refresh"
    )


def _window(found: Found, since: str | None, speed: float) -> Window:
    began = found.began
    if began is None:
        raise BuildError("Nothing of the workshop exists here, so nothing costs. On paper: ground cost --design")
    start = began if since is None else max(began, moment(since, found.at, speed))
    if start >= found.at:
        raise UsageError(f"--since {since} is not in the past: it is {_clock(found.at)} now")
    return Window(start, found.at, speed)


def moment(text: str, now: datetime, speed: float) -> datetime:
    """When ``--since`` means; a span is one of AWS's time. Raises UsageError."""
    if match := AGO.fullmatch(text):
        return now - timedelta(seconds=float(match[1]) * (60 if match[2] == "m" else 3600) / speed)
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text):
            today = now.astimezone()
            hour, minute, second = (*map(int, text.split(":")), 0)[:3]
            return today.replace(hour=hour, minute=minute, second=second, microsecond=0).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise UsageError(f"--since {text} is no time. Say 30m, 2h, 14:05 or 2026-11-22T14:05") from None


def _refresh(region: str) -> None:
    """With the caller's own credentials: the lab has no prices."""
    if os.environ.get("AWS_ENDPOINT_URL"):
        raise UsageError(
            "This shell points at the lab (AWS_ENDPOINT_URL), and prices are AWS's own. Use a shell without ground env"
        )
    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=30)
    try:
        client = boto3.Session().client("pricing", region_name=ENDPOINT_REGION, config=config)
        file = refresh(client, region, prices_folder(), datetime.now(UTC).date())
    except (ClientError, BotoCoreError) as error:
        raise PriceError(
            f"AWS's Price List API gave no prices: {error}. It needs credentials that allow pricing:GetProducts. "
            "Nothing was written"
        ) from None
    click.echo(f"✓ Prices of {region} are in {file}\nNext: ground cost --design --region {region}")


def _configured_region() -> str:
    return os.environ.get("AWS_REGION") or boto3.Session().region_name or PRICED_REGION


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
