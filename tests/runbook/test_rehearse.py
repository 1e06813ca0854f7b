"""A rehearsal shows what a room will see, and ends where the runbook is broken."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from groundschool.cli.rehearse import LONGEST_PAUSE, reading_time, rehearse
from groundschool.errors import LabError
from groundschool.runbook.document import parse
from groundschool.runbook.shell import Shell

PAGE = """## One
Because of this.
```bash
echo hello
```
```output
hello
```
```bash not-executed: it costs money
buy
```
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, os.environ) as made:
        yield made


def test_narration_commands_and_output_are_shown_and_read_in_order(shell: Shell) -> None:
    shown, read = io.StringIO(), list[str]()

    took = rehearse(parse("page.md", PAGE), shell, Console(file=shown, width=100), read.append)

    assert list(took) == ["One"]
    assert read == ["Because of this.", "hello\n", "buy"]
    text = shown.getvalue()
    assert text.index("Because") < text.index("$ echo hello") < text.index("as shown") < text.index("not executed: it")


def test_a_block_that_breaks_its_promise_ends_the_rehearsal(shell: Shell) -> None:
    with pytest.raises(LabError, match=r"page.md:1 did not do what the runbook says"):
        rehearse(parse("page.md", "```bash\nfalse\n```\n"), shell, Console(file=io.StringIO()), lambda _: None)


def test_a_pause_is_as_long_as_its_text_and_never_too_long() -> None:
    assert reading_time(["word"] * 40) == 10
    assert reading_time(["word"] * 4000) == LONGEST_PAUSE
