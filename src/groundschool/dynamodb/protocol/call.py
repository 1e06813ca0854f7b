"""Calls: an operation with its checked input, kept for a while when the same request is likely to come again."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property

from groundschool.dynamodb.operations.catalogue import Supported, Use
from groundschool.dynamodb.operations.request import Params, Prepared

_MAX_CALLS = 512
_MAX_SEEN = 4096
_MAX_BODY_BYTES = 4096


class Call:
    """An operation with its input, of the shape the service model asks for."""

    def __init__(self, operation: str, supported: Supported, params: Params) -> None:
        self.operation = operation
        self.table: str | None = params.get("TableName")
        self.repeats = supported.repeats
        self._supported = supported
        self._params = params
        self._prepared: Prepared | None = None

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What the caller must be allowed to do."""
        return tuple(self._supported.uses(self.operation, self._params))

    def prepared(self) -> Prepared:
        """Raises what is wrong with the input whatever is stored."""
        if self._prepared is None:
            self._prepared = self._supported.prepare(self._params)
        return self._prepared


class RepeatedCalls:
    """Calls by their exact bytes, the newest 512 of at most 4 KB; a call is kept when it comes for the second time.

    A page of an app asks the same question for every visitor. Its text, the types of its values and its expressions are
    then looked at once. Never kept are answers: every call reads the rows as they are now.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[tuple[str, bytes], Call] = OrderedDict()
        # Keeping a call costs more than remembering that there was one: most questions are asked once.
        self._seen: set[int] = set()

    def find(self, target: str, body: bytes) -> Call | None:
        return self._calls.get((target, body))

    def keep(self, target: str, body: bytes, call: Call) -> None:
        """Takes a call that was answered and not found."""
        if len(body) > _MAX_BODY_BYTES:
            return
        place = (target, body)
        if hash(place) not in self._seen:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen.add(hash(place))
            return
        if len(self._calls) >= _MAX_CALLS:
            self._calls.popitem(last=False)
        self._calls[place] = call
