"""Plays a runbook: every block in order, each judged by what the runbook promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from groundschool.runbook.document import Block, Expected, Runbook
from groundschool.runbook.shell import Ran, Shell
from groundschool.runbook.shown_output import difference


@dataclass(frozen=True)
class Played:
    """One block and what became of it. ``trouble`` is None when it kept the runbook's promise."""

    block: Block
    ran: Ran | None
    trouble: str | None

    @property
    def seconds(self) -> float:
        return self.ran.seconds if self.ran else 0.0


def play(runbook: Runbook, shell: Shell) -> Iterator[Played]:
    """Ends after the first block that breaks its promise: what follows stands on it."""
    for block in runbook.blocks:
        played = play_block(block, shell)
        yield played
        if played.trouble:
            return


def play_block(block: Block, shell: Shell) -> Played:
    if block.expected is Expected.NOT_EXECUTED:
        return Played(block, None, None)
    ran = shell.run(block.commands)
    return Played(block, ran, judge(block, ran))


def judge(block: Block, ran: Ran) -> str | None:
    """Pure. What is wrong with how the block ended, None when nothing is."""
    if ran.code is None:
        return f"did not end within {ran.seconds:.0f} s; printed:\n{ran.output}"
    if block.expected is Expected.SUCCESS and ran.code != 0:
        return f"ended with {ran.code}; printed:\n{ran.output}"
    if block.expected is Expected.FAILURE and ran.code == 0:
        return f"was to fail, and did not; printed:\n{ran.output}"
    return None if block.output is None else difference(block.output, ran.output)
