"""One page of a Query or Scan: at most Limit items, at most 1 MB before any filter.

AWS: developer guide, "Paginating table query results": the page ends with the item that reaches 1 MB or Limit, and
then always names it in LastEvaluatedKey, even when nothing follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from groundschool.dynamodb.capacity import Consumption, read_units
from groundschool.dynamodb.operations.read_plan import ReadPlan
from groundschool.dynamodb.operations.request import Request, Result
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.item_key import stored_key
from groundschool.dynamodb.values.attribute_value import Item

PAGE_BYTES = 1024 * 1024


class PreparedRead:
    """Answers one Query or Scan, every time it comes: its parameters were checked and its expressions compiled.

    What follows from the table's definition is planned at the first answer, and again when the table is another one
    (of another region, or made anew) or was redefined. The rows are read every time.
    """

    def __init__(self, table_name: str, plan: Callable[[StoredTable], ReadPlan]) -> None:
        self._table_name = table_name
        self._make_plan = plan
        self._plan: ReadPlan | None = None

    def __call__(self, request: Request) -> Result:
        table = request.table(self._table_name)
        plan = self._plan
        if plan is None or not plan.holds_for(table):
            plan = self._make_plan(table)
            self._plan = plan = plan.with_sizes() if request.books else plan
        request.admit(table, plan.booked_on, "Read")
        if plan.capacity is None and not request.books:
            return answer(plan, read_page(plan, measured=False), None)
        page = read_page(plan, measured=True)
        consumed = consumption_of(plan, page)
        request.charge(table, plan.booked_on, consumed)
        return answer(plan, page, consumed)


@dataclass(slots=True)
class Page:
    """The answer's items as JSON, and what was read for them."""

    items: list[bytes]
    matched: int
    scanned: int
    size: int
    fetched_units: float
    last: bytes | None
    """The JSON of the last row read, when the page ended before the run did."""


def read_page(plan: ReadPlan, *, measured: bool) -> Page:
    """Reads rows until the run, the limit or the megabyte ends. The page has its size when it must be ``measured``."""
    wish = plan.wish
    raw, size, ended = _take(plan) if measured else _take_unmeasured(plan)
    page = Page([], len(raw), len(raw), size, 0.0, raw[-1] if ended else None)
    if wish.test is None and wish.projection is None and not wish.whole_items:
        if not wish.count_only:
            page.items = raw
        return page
    items: Iterator[Item] = map(orjson.loads, raw)
    if wish.whole_items:
        items = _whole_items(plan, items, page)
    if wish.test is not None:
        items = filter(wish.test, items)
    if wish.projection is not None:
        items = map(wish.projection.apply, items)
    encoded = list(map(orjson.dumps, items))
    page.matched = len(encoded)
    page.items = [] if wish.count_only else encoded
    return page


def _take(plan: ReadPlan) -> tuple[list[bytes], int, bool]:
    """The rows' JSON, the sum of their sizes, and whether the page ended before the run did."""
    raw: list[bytes] = []
    size = 0
    for chunk in plan.source.rows.read(plan.with_sizes().selection):
        total = size + sum([row[1] for row in chunk])
        if total < PAGE_BYTES:
            raw += [row[0] for row in chunk]
            size = total
            continue
        for json, item_size in chunk:
            raw.append(json)
            size += item_size
            if size >= PAGE_BYTES:
                return raw, size, True
    return raw, size, len(raw) == plan.limit and bool(raw)


def _take_unmeasured(plan: ReadPlan) -> tuple[list[bytes], int, bool]:
    """As :func:`_take`, without the size when the page is small: an item's JSON is never shorter than its size."""
    if plan.sized:
        return _take(plan)
    raw = plan.source.rows.read_json(plan.selection)
    if sum(map(len, raw)) >= PAGE_BYTES:
        return _take(plan)
    return raw, 0, len(raw) == plan.limit


def _whole_items(plan: ReadPlan, entries: Iterator[Item], page: Page) -> Iterator[Item]:
    table = plan.source.table
    for entry in entries:
        row = table.get(stored_key(table.definition.key, entry))
        assert row is not None, "an index entry without its item"
        page.fetched_units += read_units(row[1], consistent=plan.consistent)
        yield orjson.loads(row[0])


def consumption_of(plan: ReadPlan, page: Page) -> Consumption:
    """The sum of what was read, rounded up once; items fetched for a local index count one by one."""
    source = plan.source
    consumed = Consumption(source.table.definition.name, "Read")
    units = read_units(page.size, consistent=plan.consistent)
    if source.index is None:
        consumed.on_table = units
    else:
        consumed.add_index(source.index, units)
        consumed.on_table = page.fetched_units
    return consumed


def answer(plan: ReadPlan, page: Page, consumed: Consumption | None) -> bytes:
    """The JSON of the answer: the items are joined, not parsed."""
    members: list[bytes] = [b'{"Count":%d,"ScannedCount":%d' % (page.matched, page.scanned)]
    if not plan.wish.count_only:
        members += (b',"Items":[', b",".join(page.items), b"]")
    if page.last is not None:
        position = _position(page.last, plan.source.position_names)
        members += (b',"LastEvaluatedKey":', orjson.dumps(position))
    if plan.capacity is not None and consumed is not None:
        members += (b',"ConsumedCapacity":', orjson.dumps(consumed.report(plan.capacity)))
    members.append(b"}")
    return b"".join(members)


def _position(json: bytes, names: Sequence[str]) -> dict[str, Any]:
    item = orjson.loads(json)
    return {name: item[name] for name in names}
