"""What a runbook's Markdown means."""

from __future__ import annotations

import pytest

from groundschool.errors import UsageError
from groundschool.runbook.document import Expected, Prose, parse

PAGE = """# A page

Before all.

## One

Why.

```bash
echo hello
```
```output
hello
```

```bash fails
false
```
Then look.
```text
a diagram
```

## Two

```bash not-executed: it costs money
aws ec2 run-instances
```
"""


def test_a_page_is_steps_of_prose_and_blocks_in_their_order() -> None:
    runbook = parse("page.md", PAGE)

    assert [step.title for step in runbook.steps] == ["", "One", "Two"]
    assert [type(part).__name__ for part in runbook.steps[1].parts] == ["Prose", "Block", "Block", "Prose"]
    last = runbook.steps[1].parts[-1]
    assert isinstance(last, Prose)
    assert "a diagram" in last.text


def test_the_fence_says_what_must_become_of_a_block() -> None:
    hello, false, paid = parse("page.md", PAGE).blocks

    assert (hello.commands, hello.expected, hello.output, hello.line) == ("echo hello", Expected.SUCCESS, "hello", 9)
    assert (false.expected, false.output) == (Expected.FAILURE, None)
    assert (paid.expected, paid.reason) == (Expected.NOT_EXECUTED, "it costs money")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("```\nls\n```", "page.md:1: nobody would know", id="a fence without a kind"),
        pytest.param("```sh\nls\n```", "kind 'sh'", id="an unknown kind"),
        pytest.param("```bash not-executed:\nls\n```", "nobody would know", id="not executed without a reason"),
        pytest.param("text\n```bash\nls", "page.md:2: this block is never closed", id="never closed"),
        pytest.param("```output\nx\n```", "belongs to no block", id="output of nothing"),
        pytest.param("```bash\nls\n```\nso:\n```output\nx\n```", "belongs to no block", id="output after prose"),
    ],
)
def test_a_block_that_nobody_would_execute_by_mistake_is_an_error(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse("page.md", text)


def test_a_comment_is_not_prose() -> None:
    assert (
        parse("page.md", "<!-- for\nwriters -->\n```bash\nls\n```\n").steps[0].parts
        == parse("page.md", "\n\n```bash\nls\n```\n").steps[0].parts
    )
