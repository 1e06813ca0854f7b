"""Every number of docs/dynamodb.md in one run: ``python bench/dynamodb/report.py --dynalite "npx dynalite"``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import compare
import million

_DYNALITE = "{command} --port {{port}} --createTableMs 0"
_MOTO = "{command} -H 127.0.0.1 -p {{port}}"


def engines(dynalite: str | None, *, with_moto: bool) -> dict[str, str]:
    """The engines that are there, with their commands."""
    found = {}
    command = dynalite or shutil.which("dynalite")
    if command:
        found["dynalite"] = _DYNALITE.format(command=command)
    moto = shutil.which("moto_server", path=str(Path(sys.executable).parent)) or shutil.which("moto_server")
    if with_moto and moto:
        found["moto"] = _MOTO.format(command=moto)
    return found


@click.command()
@click.option("--dynalite", help="How to start dynalite; without it, the one on the path.")
@click.option("--moto/--no-moto", "with_moto", default=True, help="Measure moto_server too, where it is installed.")
@click.option("--seconds", default=0.7, show_default=True, help="Per measurement.")
@click.option("--items", default=million.ITEMS, show_default=True, help="Of the large table.")
def main(dynalite: str | None, with_moto: bool, seconds: float, items: int) -> None:
    """Prints Markdown: the comparison, its ratios, and the table of a million items. About four minutes."""
    compare.report(engines(dynalite, with_moto=with_moto), seconds)
    print()
    million.report(items, seconds)


if __name__ == "__main__":
    main()
