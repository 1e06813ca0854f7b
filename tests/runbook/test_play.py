"""How blocks run, and how each is judged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from groundschool.runbook import shell as shell_of_runbook
from groundschool.runbook.document import parse
from groundschool.runbook.play import Played, play
from groundschool.runbook.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, os.environ, timeout=2) as made:
        yield made


def played(shell: Shell, text: str) -> list[Played]:
    return list(play(parse("page.md", text), shell))


def block(commands: str, kind: str = "bash", output: str | None = None) -> str:
    shown = "" if output is None else f"```output\n{output}\n```\n"
    return f"```{kind}\n{commands}\n```\n{shown}"


def test_variables_and_functions_carry_over(shell: Shell) -> None:
    text = block("A=5\nsay() { echo $A; }") + block("false", "bash fails") + block("say", output="5")

    assert [each.trouble for each in played(shell, text)] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(block("false\ntrue"), "ended with 1", id="a command in the middle fails"),
        pytest.param(block("false | true"), "ended with 1", id="a pipe fails"),
        pytest.param(block("echo $NOBODY_SET_IT"), "unbound variable", id="a variable nobody set"),
        pytest.param(block("true", "bash fails"), "was to fail", id="an expected failure does not fail"),
        pytest.param(block("echo a", output="b"), "printed:", id="another output"),
        pytest.param(block("sleep 60"), "did not end", id="a block that hangs"),
        pytest.param(block("exit 3"), "ended with 3", id="the shell ends"),
    ],
)
def test_a_broken_promise_is_told_and_ends_the_play(shell: Shell, text: str, told: str) -> None:
    [only] = played(shell, text + block("echo never"))

    assert only.trouble is not None
    assert told in only.trouble


def test_a_block_that_is_not_executed_is_not(shell: Shell, tmp_path: Path) -> None:
    [only] = played(shell, block(f"touch {tmp_path}/made", "bash not-executed: for the test"))

    assert only.ran is None
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("job", ["sleep 600", "(trap '' TERM; sleep 600; sleep 600)"], ids=["ordinary", "stubborn"])
def test_what_runs_in_the_background_ends_with_the_shell(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_of_runbook, "END_GRACE", 2.0)
    with Shell(tmp_path, os.environ) as shell:
        pid = int(shell.run(f"{job} &\necho $!").output)
        assert psutil.pid_exists(pid)

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
