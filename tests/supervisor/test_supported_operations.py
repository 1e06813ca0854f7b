"""The page of supported operations says what the routes say."""

from __future__ import annotations

from groundschool.cloud.supported_operations import PAGE, markdown, supported_operations


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(supported_operations()), "run: make docs"
