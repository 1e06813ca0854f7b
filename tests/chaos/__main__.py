"""``make chaos``: the workshop's system under load while things break; then every acknowledged post is counted.

Ten minutes of lab time. Exits with 1 when an acknowledged post is lost or doubled, or a failed request is unexplained.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from groundschool.cloud.network.envoy.access_log import ACCESS_LOG
from groundschool.traffic.acknowledged import PAGE, reader
from groundschool.traffic.destination import base_url, destination
from groundschool.traffic.load_run import LoadRun
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings
from groundschool.traffic.tally import LoadReport
from tests.chaos.explanation import UNEXPLAINED, explain, logged
from tests.chaos.havoc import Havoc
from tests.chaos.schedule import schedule
from tests.lab_under_test import LabUnderTest

LAB_SECONDS = 600.0
SETTLE_SECONDS = 20.0
"""Real seconds under load after the last blow was mended."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=int, default=20)
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second, every tenth a post")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ground-chaos-") as folder:
        home = Path(folder) / "ground"
        with LabUnderTest.started(home, asked.speed) as lab:
            return run(lab, home, asked.seed, asked.speed, asked.rate)


def run(lab: LabUnderTest, home: Path, seed: int, speed: int, rate: float) -> int:
    built = lab.ground("build", timeout=300)
    assert built.returncode == 0, built.stderr
    havoc = Havoc(lab)
    havoc.prepare()
    acknowledged = home / "acknowledged.txt"
    endpoint = destination(havoc.url)
    settings = LoadSettings(
        base_url=base_url(endpoint),
        host_header=endpoint.host_header,
        shape=LoadShape.constant(rate),
        acknowledged_file=str(acknowledged),
    )
    with LoadRun(settings) as load:
        _deal(havoc, seed, speed)
        havoc.mend()
        havoc.watch_for(SETTLE_SECONDS)
        report = load.stop()
    requests = [logged(line) for line in (home / "envoy" / ACCESS_LOG).read_bytes().splitlines()]
    classes = explain(requests, havoc.wounds, havoc.samples)
    stored = stored_posts(havoc.url)
    return show(havoc, report, classes, acknowledged.read_text().split(), stored)


def _deal(havoc: Havoc, seed: int, speed: int) -> None:
    started = time.monotonic()
    for event in schedule(seed, LAB_SECONDS):
        havoc.watch_for(event.at / speed - (time.monotonic() - started))
        print(f"{event.at / 60:4.1f} min  {havoc.strike(event)}", flush=True)
    havoc.watch_for(LAB_SECONDS / speed - (time.monotonic() - started))


def stored_posts(url: str) -> dict[str, list[str]]:
    """Text -> the ids stored with it; the load gives every post a text of its own."""
    read, before, found = reader(url), "", {}
    while True:
        page = json.loads(read(f"/api/messages?limit={PAGE}{before}"))
        for message in page["messages"]:
            found.setdefault(message["text"], []).append(message["id"])
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def show(
    havoc: Havoc,
    report: LoadReport,
    classes: Counter[str],
    acknowledged: list[str],
    stored: Mapping[str, list[str]],
) -> int:
    """Prints the table; the exit code."""
    ids = Counter(each for of_text in stored.values() for each in of_text)
    lost = [each for each in acknowledged if ids[each] == 0]
    known = set(acknowledged)
    doubled = [text for text, of_text in stored.items() if len(of_text) > 1 and known & set(of_text)]
    unseen = max(0, report.failed - classes.total())
    table = Table("What", "Count")
    rows: dict[str, int] = {
        "Blows": len(havoc.told),
        "Instances that served": len(report.served_by),
        "Requests": report.requests,
        "Posts acknowledged": len(acknowledged),
        "Acknowledged posts lost": len(lost),
        "Acknowledged posts stored twice": len(doubled),
        "Failed requests": report.failed,
        **{f"  {name}": count for name, count in classes.most_common()},
        "  failed for the client, not in the balancer's log": unseen,
    }
    for name, count in rows.items():
        table.add_row(name, str(count))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"Failures as the client saw them: {report.failures or 'none'}", markup=False)
    console.print(f"Latency p50 {report.latency.p50 * 1000:.0f} ms, p99 {report.latency.p99 * 1000:.0f} ms")
    unexplained = sum(count for name, count in classes.items() if name.startswith(UNEXPLAINED)) + unseen
    failed = bool(lost or doubled or unexplained)
    console.print(f"{'✗' if failed else '✓'} {len(lost)} lost, {len(doubled)} doubled, {unexplained} unexplained")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
