"""What the workshop's pages say, where a program can know better."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from groundschool.cli import VERBS
from groundschool.cli.what_it_costs import without_visitors
from groundschool.workshop.build_order import COMPONENTS
from groundschool.workshop.cost import Usage, estimate, running
from groundschool.workshop.cost import alone as one_alone
from groundschool.workshop.cost_design import design
from groundschool.workshop.settings import WorkshopSettings

ROOT = Path(__file__).parents[2]
WORKSHOP = ROOT / "workshop"
PAGES = sorted(WORKSHOP.glob("*.md"))
SCRIPTS = ("who-serves", "make-load", "watch-group")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_verb_that_is_told_exists(page: Path) -> None:
    told = set(re.findall(r"(?:^|`|\()ground ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))

    assert told <= set(VERBS)


def test_the_capacity_units_are_the_measured_ones() -> None:
    def rows(text: str) -> dict[str, list[str]]:
        cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if "|" in line]
        return {row[0].split(";")[0]: [re.sub(r" \(\d+\)$", "", cell) for cell in row[1:]] for row in cells}

    measured = rows((ROOT / "docs" / "visitor-board-capacity.md").read_text(encoding="utf-8"))
    told = rows((WORKSHOP / "SYSTEM-DESIGN.md").read_text(encoding="utf-8"))
    compared = [name for name in told if name in measured and not name.startswith("-")]

    assert len(compared) == 5
    for name in compared:
        small, _, large, scan_small, _, scan_large = measured[name]
        assert told[name] == [small, large, scan_small, scan_large], name


def test_the_prices_are_those_of_the_price_list() -> None:
    text = (WORKSHOP / "qa-preparation.md").read_text(encoding="utf-8")
    alone = estimate(Usage(3600, 3600, load_balancers=0, load_balancer_addresses=0))

    assert f"one machine alone ${alone.per_hour:.3f}/h (${alone.per_month:.0f} a month)" in text
    for count, name in ((2, "with two machines"), (4, "with four"), (10, "with ten")):
        bill = estimate(running(count))
        assert f"{name} ${bill.per_hour:.3f}/h (${bill.per_month:.0f}" in text
    extra = estimate(running(3)).per_hour - estimate(running(2)).per_hour
    assert f"an extra t3.micro is about ${extra:.3f} an hour" in text
    busy = {line.what: line.amount for line in estimate(design(4, 50, WorkshopSettings())).lines}
    surplus, instances = busy["EC2 CPU above the baseline"], busy["EC2 t3.micro"]
    assert f"pay ${surplus:.3f} an hour for it, and ${instances:.3f} for being there" in text


def test_the_plan_has_the_same_prices() -> None:
    text = (WORKSHOP / "PLAN.md").read_text(encoding="utf-8")
    alone, two, ten = (estimate(usage).per_hour for usage in (one_alone(), running(2), running(10)))

    assert f"one machine ${alone:.3f} an hour; the design with two ${two:.3f}; with ten ${ten:.3f}" in text


def test_the_parts_are_the_components_in_build_order() -> None:
    text = (WORKSHOP / "SYSTEM-DESIGN.md").read_text(encoding="utf-8")

    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == [
        each.number for each in COMPONENTS
    ]


def test_the_runbook_types_the_designed_numbers() -> None:
    text, chosen = (WORKSHOP / "session-2-scaling-to-millions.md").read_text(encoding="utf-8"), WorkshopSettings()

    for words in (
        f"--min-size {chosen.minimum_size} --desired-capacity {chosen.desired_capacity} ",
        f"--max-size {chosen.maximum_size} ",
        f"--health-check-grace-period {chosen.grace_period} --default-instance-warmup {chosen.warm_up}",
        f"--estimated-instance-warmup {chosen.warm_up}",
        f'"TargetValue": {chosen.target_cpu}',
    ):
        assert words in text


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_without_a_target_says_how_it_is_used(script: str) -> None:
    path = WORKSHOP / "session-2-scripts" / script
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Usage: {script} ")
    assert path.stat().st_mode & 0o111


def test_the_page_on_aws_has_the_same_prices() -> None:
    text, settings = (ROOT / "docs" / "on-aws.md").read_text(encoding="utf-8"), WorkshopSettings()
    rows = {
        "session 1": (0, True, False),
        "sessions 1 and 2": (settings.desired_capacity, True, True),
        "under load": (settings.maximum_size, True, True),
        "a load balancer alone": (0, False, True),
    }
    for row, (grouped, by_hand, balanced) in rows.items():
        price = estimate(without_visitors(settings, grouped, by_hand=by_hand, balanced=balanced))
        assert re.search(rf"\| {row}[^|]*\| \${price.per_hour:.3f} \| \${price.per_month:.0f} \|", text), row
