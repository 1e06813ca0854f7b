"""Both runbooks, every block in order, on a real lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundschool.runbook.document import Expected, Prose, read_runbook
from groundschool.runbook.play import play
from groundschool.runbook.stage import on_stage

WORKSHOP = Path(__file__).parents[2] / "workshop"
SESSIONS = ("session-1-zero-to-live", "session-2-scaling-to-millions")


@pytest.mark.lab
@pytest.mark.timeout(300)
@pytest.mark.parametrize("session", SESSIONS)
def test_every_block_of_the_runbook_does_what_the_runbook_says(session: str) -> None:
    runbook = read_runbook(WORKSHOP / f"{session}.md")

    with on_stage(speed=20) as shell:
        played = list(play(runbook, shell))

    assert [f"{session}.md:{each.block.line}: {each.trouble}" for each in played if each.trouble] == []
    assert len(played) == len(runbook.blocks)


@pytest.mark.parametrize("session", SESSIONS)
def test_each_step_has_a_reason_a_block_with_output_and_a_design_takeaway(session: str) -> None:
    for step in read_runbook(WORKSHOP / f"{session}.md").steps[1:]:
        text = "\n".join(part.text for part in step.parts if isinstance(part, Prose))
        assert "**Why" in text, step.title
        assert "**Design takeaway.**" in text, step.title
        assert any(block.output is not None for block in step.blocks), step.title


@pytest.mark.parametrize("session", SESSIONS)
def test_a_block_that_is_not_executed_reaches_for_something_that_no_lab_has(session: str) -> None:
    skipped = [
        each for each in read_runbook(WORKSHOP / f"{session}.md").blocks if each.expected is Expected.NOT_EXECUTED
    ]

    assert skipped
    assert len(skipped) <= 4
