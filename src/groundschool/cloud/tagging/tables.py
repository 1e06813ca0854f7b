"""The tags of the store's tables, asked as any client asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

API = "DynamoDB_20120810"

AskStore = Callable[[str, dict[str, Any], str], bytes]
"""``(target, document, what it is for) -> JSON``; raises LabError."""


class TableTags:
    def __init__(self, ask: AskStore, region: str, account_id: str) -> None:
        self._ask = ask
        self._table_arn = f"arn:aws:dynamodb:{region}:{account_id}:table/"

    def by_arn(self) -> dict[str, dict[str, str]]:
        """Raises LabError when the store does not answer: a list without its tables would not be true."""
        return {arn: self._tags(arn) for arn in (self._table_arn + name for name in self._names())}

    def _names(self) -> Iterator[str]:
        request: dict[str, Any] = {}
        while True:
            answer = json.loads(self._ask(f"{API}.ListTables", request, "to list its tables"))
            yield from answer["TableNames"]
            if "LastEvaluatedTableName" not in answer:
                return
            request = {"ExclusiveStartTableName": answer["LastEvaluatedTableName"]}

    def _tags(self, arn: str) -> dict[str, str]:
        tags: dict[str, str] = {}
        request = {"ResourceArn": arn}
        while True:
            answer = json.loads(self._ask(f"{API}.ListTagsOfResource", request, f"the tags of {arn}"))
            tags |= {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}
            if "NextToken" not in answer:
                return tags
            request = {"ResourceArn": arn, "NextToken": answer["NextToken"]}
