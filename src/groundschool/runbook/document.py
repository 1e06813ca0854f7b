"""A runbook as Markdown says it: steps with prose, command blocks and the output that is shown for them.

The fence says what a block is:

- ``bash``: executed; every command must succeed.
- ``bash fails``: executed; a command must fail.
- ``bash not-executed: REASON``: shown only, and why.
- ``output``: what the block before prints.
- ``text``, ``json``, ``mermaid``: shown only, not a command.

Any other fence is an error, so that no command can be added that nobody executes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from groundschool.errors import UsageError

FENCE = re.compile(r"^```(.*)$")
NOT_EXECUTED = re.compile(r"^bash not-executed: (\S.*)$")
SHOWN_ONLY = frozenset({"text", "json", "mermaid"})
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Expected(Enum):
    """What must become of a block."""

    SUCCESS = "success"
    FAILURE = "failure"
    NOT_EXECUTED = "not executed"


@dataclass(frozen=True)
class Block:
    """One command block. ``line`` is that of its opening fence, from 1; ``output`` is None where none is shown."""

    line: int
    commands: str
    expected: Expected = Expected.SUCCESS
    reason: str = ""
    output: str | None = None


@dataclass(frozen=True)
class Prose:
    """Markdown between the command blocks."""

    text: str


@dataclass(frozen=True)
class Step:
    """A ``##`` section: its title, and prose and blocks in their order."""

    title: str
    parts: tuple[Prose | Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(part for part in self.parts if isinstance(part, Block))


@dataclass(frozen=True)
class Runbook:
    """``name`` is the file's; ``steps`` begins with what stands before the first ``##``, when that is anything."""

    name: str
    steps: tuple[Step, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(block for step in self.steps for block in step.blocks)


def read_runbook(path: Path) -> Runbook:
    """Raises UsageError naming file and line when a fence is none of the above."""
    return parse(path.name, path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Runbook:
    """Pure. As :func:`read_runbook`."""
    steps: list[Step] = []
    title, parts = "", list[Prose | Block]()
    for piece in _pieces(name, text.splitlines()):
        if isinstance(piece, str):
            if parts:
                steps.append(Step(title, tuple(parts)))
            title, parts = piece, []
        else:
            parts.append(piece)
    if title or parts:
        steps.append(Step(title, tuple(parts)))
    return Runbook(name, tuple(steps))


def _pieces(name: str, lines: list[str]) -> Iterator[str | Prose | Block]:
    """Titles as text, prose, and blocks that already carry their output."""
    prose: list[str] = []
    waiting: Block | None = None
    number = 0
    while number < len(lines):
        line, opened = lines[number], number + 1
        fence = FENCE.match(line)
        number += 1
        if fence is None and not line.startswith("## "):
            prose.append(line)
            continue
        body = []
        if fence is not None:
            while number < len(lines) and lines[number] != "```":
                body.append(lines[number])
                number += 1
            if number == len(lines):
                raise UsageError(f"{name}:{opened}: this block is never closed. End it with ```")
            number += 1
        kind = fence[1].strip() if fence else ""
        if kind in SHOWN_ONLY:
            prose += [line, *body, "```"]
            continue
        said = COMMENT.sub("", "\n".join(prose)).strip()
        if kind == "output":
            if waiting is None or said:
                raise UsageError(f"{name}:{opened}: this output belongs to no block: put it right after one")
            yield replace(waiting, output="\n".join(body))
            waiting = None
            prose = []
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if said:
            yield Prose(said)
        prose = []
        if fence is None:
            yield line.removeprefix("## ").strip()
        else:
            waiting = _block(name, opened, kind, "\n".join(body))
    if waiting is not None:
        yield waiting
    if said := COMMENT.sub("", "\n".join(prose)).strip():
        yield Prose(said)


def _block(name: str, line: int, kind: str, commands: str) -> Block:
    if kind == "bash":
        return Block(line, commands)
    if kind == "bash fails":
        return Block(line, commands, Expected.FAILURE)
    if told := NOT_EXECUTED.match(kind):
        return Block(line, commands, Expected.NOT_EXECUTED, told[1])
    raise UsageError(
        f"{name}:{line}: nobody would know what to do with a block of kind {kind!r}. A command is 'bash', 'bash fails' "
        f"or 'bash not-executed: why'; what is only shown is one of {', '.join(sorted(SHOWN_ONLY))}"
    )
