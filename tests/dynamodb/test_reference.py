from __future__ import annotations

from pathlib import Path

from groundschool.dynamodb.reference import operations_markdown

PAGE = Path(__file__).parents[2] / "docs" / "dynamodb.md"


def test_the_list_of_operations_in_the_docs_is_the_one_in_the_code() -> None:
    assert operations_markdown() in PAGE.read_text(encoding="utf-8")
