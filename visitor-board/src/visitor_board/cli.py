"""The command line: serve, create-table, seed."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from visitor_board.guard import RateLimit
from visitor_board.instance import Instance, identify
from visitor_board.settings import SettingError, Settings
from visitor_board.store_client import StoreClient, StoreError
from visitor_board.telemetry import Metrics

if TYPE_CHECKING:
    from flask import Flask

_NOTHING_SET = """✗ No AWS credentials and no DynamoDB endpoint. One of these helps:
    visitor-board serve --local     runs on an embedded store on this machine
    AWS_PROFILE and AWS_REGION      your AWS account; on an instance, attach an instance profile
    AWS_ENDPOINT_URL_DYNAMODB       another store, with the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY it takes"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0 done, 1 failed, 2 wrong settings."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        return int(options.run(options, Settings.from_environment(os.environ)))
    except SettingError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    except StoreError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    rows = (f"  {variable:<24}{text} [{default}]" for variable, default, text in Settings.table())
    shape: dict[str, Any] = {
        "epilog": "\n".join(("settings, from the environment:", *rows)),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }
    parser = argparse.ArgumentParser("visitor-board", description="A message board on one DynamoDB table.", **shape)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, **shape)
        one.set_defaults(run=run)
        return one

    serve = command("serve", _serve, "Serve the board.")
    serve.add_argument("--local", action="store_true", help="on an embedded store in this machine's memory")
    command("create-table", _create_table, "Create the table: on demand, with TTL.")
    seed = command("seed", _seed, "Store N messages, spread over the last days.")
    seed.add_argument("number", type=_count, metavar="N", help="1 or more")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    from visitor_board import local_store, server, table

    instance = identify(os.environ)
    with ExitStack() as stack:
        if options.local:
            stack.enter_context(local_store.running(os.environ))
        metrics = Metrics(instance.id)
        client = StoreClient(settings.region, settings.endpoint, observe=metrics.observe_store)
        if not client.has_credentials() and not instance.on_ec2:
            print(_NOTHING_SET, file=sys.stderr)
            return 2
        if options.local:
            table.create(client, settings)
        server.serve(build_app(settings, client, instance, metrics), settings, _announce(settings, instance, client))
    return 0


def build_app(settings: Settings, client: StoreClient, instance: Instance, metrics: Metrics) -> Flask:
    """The WSGI application that the settings describe."""
    from visitor_board.board import Board
    from visitor_board.feed import Feed
    from visitor_board.page_cache import CachedBoard
    from visitor_board.scan import ScanBoard
    from visitor_board.web import create_app

    board: Board = (ScanBoard if settings.model == "scan" else Feed)(client, settings, instance.id)
    if settings.cache_seconds:
        board = CachedBoard(board, settings.cache_seconds)
    return create_app(board, instance, metrics, RateLimit(settings.posts_per_minute))


def _announce(settings: Settings, instance: Instance, client: StoreClient) -> Callable[[int], None]:
    def announce(port: int) -> None:
        print(
            f"✓ Visitor Board on http://{settings.host}:{port}, served by {instance.id} in {instance.zone}\n"
            f"  table {settings.table_name} ({settings.model}) at {client.endpoint}",
            flush=True,
        )

    return announce


def _create_table(_: argparse.Namespace, settings: Settings) -> int:
    from visitor_board import table

    with closing(StoreClient(settings.region, settings.endpoint)) as client:
        table.create(client, settings)
    print(f"✓ Table {settings.table_name} is active")
    return 0


def _seed(options: argparse.Namespace, settings: Settings) -> int:
    from visitor_board import table

    progress = sys.stdout.isatty()
    with closing(StoreClient(settings.region, settings.endpoint)) as client:
        for stored in table.seed(client, settings, options.number):
            if progress:
                done = 40 * stored // options.number
                print(f"\r• [{'█' * done}{' ' * (40 - done)}] {stored}/{options.number}", end="", flush=True)
    clear = "\r\033[K" if progress else ""
    print(f"{clear}✓ {options.number} messages in {settings.table_name}")
    return 0
