"""``python -m groundschool.runbook PATH...``: plays runbooks on labs of their own and prints a table."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from groundschool.runbook.document import Runbook, read_runbook
from groundschool.runbook.play import Played, play
from groundschool.runbook.stage import on_stage

SPEED = 20.0


def main(paths: list[str]) -> int:
    """1 when a block broke its promise."""
    console, troubles = Console(highlight=False), 0
    for path in paths:
        runbook = read_runbook(Path(path))
        played = play_all(runbook)
        console.print(table(runbook, played))
        for each in played:
            if each.trouble:
                troubles += 1
                console.print(f"✗ {path}:{each.block.line}: {each.trouble}", markup=False)
    return 1 if troubles else 0


def play_all(runbook: Runbook) -> list[Played]:
    with on_stage(SPEED) as shell:
        return list(play(runbook, shell))


def table(runbook: Runbook, played: list[Played]) -> Table:
    """One row per step."""
    seen = {each.block: each for each in played}
    shown = Table("Step", "Executed", "Compared", "Must fail", "Not executed", "Seconds", "", title=runbook.name)
    for step in (each for each in runbook.steps if each.blocks):
        ran = [seen[block] for block in step.blocks if block in seen]
        executed = [each for each in ran if each.ran is not None]
        shown.add_row(
            step.title,
            str(len(executed)),
            str(sum(each.block.output is not None for each in executed)),
            str(sum(each.block.expected.value == "failure" for each in executed)),
            str(len(ran) - len(executed)),
            f"{sum(each.seconds for each in ran):.1f}",
            verdict(len(step.blocks), ran),
        )
    return shown


def verdict(blocks: int, ran: list[Played]) -> str:
    if any(each.trouble for each in ran):
        return "✗"
    return "✓" if len(ran) == blocks else "not reached"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
