"""Scan: everything, in the order of the partitions' hashes, whole or in segments."""

from __future__ import annotations

from groundschool.dynamodb.api_error import validation
from groundschool.dynamodb.expressions import legacy
from groundschool.dynamodb.expressions.parameters import ExpressionParameters, refuse_mixed_styles
from groundschool.dynamodb.operations.item_write import refuse_nested_keys
from groundschool.dynamodb.operations.page import PreparedRead
from groundschool.dynamodb.operations.read_plan import ReadPlan, Source, plan_read, source_of, start_position, wish_of
from groundschool.dynamodb.operations.request import Params
from groundschool.dynamodb.operations.single_item import attributes_to_get
from groundschool.dynamodb.storage.rows import Run
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.values.key_encoding import HASH_BYTES

_EXPRESSIONS = ("ProjectionExpression", "FilterExpression")
_LEGACY = ("AttributesToGet", "ScanFilter", "ConditionalOperator")


def scan(params: Params) -> PreparedRead:
    """AWS: Scan. One page, from the table or one of its indexes."""
    refuse_mixed_styles(params, _EXPRESSIONS, _LEGACY)
    names = params.get("AttributesToGet")
    projection = attributes_to_get(names) if names is not None else None
    test = legacy.filter_test(params.get("ScanFilter"), params.get("ConditionalOperator"))
    _check_segments(params)
    expressions = ExpressionParameters(params)
    filtered = expressions.condition("FilterExpression", params.get("FilterExpression"))
    projection = projection or expressions.projection(params.get("ProjectionExpression"))
    expressions.finish()
    if filtered is not None:
        matches, values = filtered.matches, expressions.values
        test = lambda item: matches(item, values)  # noqa: E731

    def plan(table: StoredTable) -> ReadPlan:
        source = source_of(table, params)
        for paths in (filtered.paths if filtered else (), projection.paths if projection else ()):
            refuse_nested_keys(table.definition, paths)
        wish = wish_of(source, params, test, projection)
        run = _run(source, params)
        # A scan walks over partitions; it is booked on the one it starts in.
        partition = (run.after or (run.from_partition or b"",))[0].ljust(HASH_BYTES, b"\0")
        return plan_read(source, run, wish, params, booked_on=partition)

    return PreparedRead(params["TableName"], plan)


def _check_segments(params: Params) -> None:
    segment, total = params.get("Segment"), params.get("TotalSegments")
    if segment is not None and total is None:
        raise validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter "
            "is present"
        )
    if total is not None:
        if segment is None:
            raise validation(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments "
                "is present"
            )
        if segment >= total:
            raise validation(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                f"Segment: {segment} is not less than TotalSegments: {total}"
            )


def _run(source: Source, params: Params) -> Run:
    first, beyond = _segment_bounds(params.get("Segment"), params.get("TotalSegments"))
    start = params.get("ExclusiveStartKey")
    after = None if start is None else start_position(source, start)
    if after is not None and not ((first or b"") <= after[0] and (beyond is None or after[0] < beyond)):
        raise validation(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
            f"correct Segment. TotalSegments: {params['TotalSegments']} Segment: {params['Segment']}"
        )
    return Run(from_partition=first, to_partition=beyond, after=after)


def _segment_bounds(segment: int | None, total: int | None) -> tuple[bytes | None, bytes | None]:
    """The partition hashes of a segment: from, and below."""
    if segment is None or total is None:
        return None, None
    hashes = 1 << (8 * HASH_BYTES)
    low, high = hashes * segment // total, hashes * (segment + 1) // total
    return (
        low.to_bytes(HASH_BYTES, "big") if low else None,
        high.to_bytes(HASH_BYTES, "big") if high < hashes else None,
    )
