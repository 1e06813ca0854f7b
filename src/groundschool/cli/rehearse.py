"""``ground rehearse``: a session as its facilitator will live it, without the room."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from groundschool.errors import LabError, UsageError
from groundschool.runbook.document import Block, Expected, Prose, Runbook, read_runbook
from groundschool.runbook.play import Played, play_block
from groundschool.runbook.shell import Shell
from groundschool.runbook.stage import on_stage

RUNBOOKS = {1: "session-1-zero-to-live.md", 2: "session-2-scaling-to-millions.md"}

WORDS_PER_SECOND = 4.0
"""A quick reader; speaking takes about twice as long."""

LONGEST_PAUSE = 20.0

SPEED = 10.0


@click.command("rehearse")
@click.option("--session", type=click.IntRange(1, 2), default=1, show_default=True)
@click.option("--fast", is_flag=True, help="Without pauses for reading.")
@click.option("--speed", type=click.FloatRange(min=1), default=SPEED, show_default=True, help="AWS time per real time.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("workshop"),
    show_default=True,
    help="Where the runbooks are.",
)
def command(session: int, fast: bool, speed: float, folder: Path) -> None:
    """Play a session's runbook from its first line to its last, on a lab of its own.

    Narration, commands, what they print, and the pauses to read it. Ends with the time each step took. Exits with 1
    when a block did not do what the runbook says.
    """
    path = folder / RUNBOOKS[session]
    if not path.exists():
        raise UsageError(f"There is no {path}. Run this where the folder workshop is, or name it: --folder")
    runbook, console = read_runbook(path), Console(highlight=False)
    with on_stage(speed) as shell:
        took = rehearse(runbook, shell, console, read_silently if fast else pause)
    summary(console, took, speed)


def rehearse(runbook: Runbook, shell: Shell, console: Console, read: Callable[[str], None]) -> dict[str, float]:
    """Real seconds of execution per step. Raises LabError at the first block that breaks the runbook's promise."""
    took: dict[str, float] = {}
    for step in runbook.steps:
        console.rule(step.title)
        took[step.title] = 0.0
        for part in step.parts:
            if isinstance(part, Prose):
                console.print(Markdown(part.text))
                read(part.text)
                continue
            show_commands(console, part)
            played = play_block(part, shell)
            took[step.title] += played.seconds
            show_result(console, played)
            if played.trouble:
                raise LabError(f"{runbook.name}:{part.line} did not do what the runbook says: {played.trouble}")
            read(played.ran.output if played.ran else part.commands)
    return took


def show_commands(console: Console, block: Block) -> None:
    for line in block.commands.splitlines():
        console.print(f"$ {line}", style="bold cyan", markup=False, soft_wrap=True)


def show_result(console: Console, played: Played) -> None:
    if played.block.expected is Expected.NOT_EXECUTED:
        console.print(f"  not executed: {played.block.reason}", style="dim", markup=False)
        return
    assert played.ran is not None
    console.print(played.ran.output.rstrip(), markup=False, soft_wrap=True)
    told = "failed, as it should" if played.block.expected is Expected.FAILURE else "as shown"
    console.print(f"  {'✗' if played.trouble else '✓'} {told} ({played.seconds:.1f} s)\n", style="dim", markup=False)


def summary(console: Console, took: dict[str, float], speed: float) -> None:
    for title, seconds in took.items():
        if title:
            console.print(f"{seconds:6.1f} s  {title}", markup=False)
    console.print(f"{sum(took.values()):6.1f} s  of commands at speed {speed:g}; the rest of a session is talking")


def pause(text: str) -> None:
    time.sleep(reading_time(text.split()))


def read_silently(text: str) -> None:
    del text


def reading_time(words: Sequence[str]) -> float:
    """Pure. Seconds."""
    return min(len(words) / WORDS_PER_SECOND, LONGEST_PAUSE)
