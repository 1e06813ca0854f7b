"""The store's tables and their tags, all pages of both."""

from __future__ import annotations

import json
from typing import Any

from groundschool.cloud.tagging.tables import TableTags

TABLES = "arn:aws:dynamodb:eu-north-1:1:table/"


def store(target: str, document: dict[str, Any], _what: str) -> bytes:
    """Two pages of tables; the second table has two pages of tags."""
    answers: dict[tuple[str, str], dict[str, Any]] = {
        ("ListTables", ""): {"TableNames": ["a"], "LastEvaluatedTableName": "a"},
        ("ListTables", "a"): {"TableNames": ["b"]},
        ("ListTagsOfResource", f"{TABLES}a"): {"Tags": []},
        ("ListTagsOfResource", f"{TABLES}b"): {"Tags": [{"Key": "x", "Value": "1"}], "NextToken": "n"},
        ("ListTagsOfResource", f"{TABLES}bn"): {"Tags": [{"Key": "y", "Value": ""}]},
    }
    return json.dumps(answers[target.partition(".")[2], "".join(document.values())]).encode()


def test_every_page_of_tables_and_of_tags_is_asked_for() -> None:
    assert TableTags(store, "eu-north-1", "1").by_arn() == {f"{TABLES}a": {}, f"{TABLES}b": {"x": "1", "y": ""}}
