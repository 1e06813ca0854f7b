"""Counting outcomes, and latencies in bounded memory."""

from __future__ import annotations

import json
import random
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.traffic.latency import PRECISION, LatencyHistogram
from groundschool.traffic.tally import MAX_REASONS, OTHER_REASONS, LoadReport, Outcome, Snapshot, Tally

latencies = st.lists(st.floats(1e-4, 600), min_size=1, max_size=300)


@given(latencies, st.sampled_from([50.0, 90.0, 95.0, 99.0, 100.0]))
def test_a_percentile_is_within_one_per_cent_of_the_true_one(values: list[float], percent: float) -> None:
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    true = sorted(values)[-(-len(values) * percent // 100).__int__() - 1]
    assert histogram.percentile(percent) == pytest.approx(true, rel=PRECISION * 1.01)


def test_the_longest_latency_is_exact_and_no_percentile_exceeds_it() -> None:
    histogram = LatencyHistogram()
    for value in (0.1, 0.2, 1.2345):
        histogram.record(value)
    assert histogram.longest == 1.2345
    assert histogram.percentile(99) <= 1.2345


def test_a_million_different_latencies_need_at_most_a_thousand_buckets() -> None:
    histogram, draw = LatencyHistogram(), random.Random(1)
    for _ in range(100_000):
        histogram.record(10 ** draw.uniform(-6, 2.7))
    assert len(histogram._buckets) < 1000


def test_without_requests_every_percentile_is_zero() -> None:
    assert LatencyHistogram().percentile(99) == 0


def test_a_snapshot_tells_the_second_and_the_run_so_far() -> None:
    tally = Tally()
    tally.count(Outcome(0.1, 200, instance="i-a"))
    tally.count(Outcome(0.2, 503, "HTTP 503"))
    first = tally.snapshot(1.0, level=2)
    tally.count(Outcome(0.3, 200, instance="i-b"))
    second = tally.snapshot(2.5, level=2, in_flight=4, waiting=3)
    assert (first.requests, first.failures, first.served_by) == (2, 1, {"i-a": 1})
    assert (second.requests, second.failures, second.served_by) == (1, 0, {"i-b": 1})
    assert (second.seconds, second.total_requests, second.total_failures) == (1.5, 3, 1)
    assert (second.in_flight, second.waiting) == (4, 3)


def test_the_report_counts_every_outcome_once() -> None:
    tally = Tally()
    for outcome in (Outcome(0.1, 200, received_bytes=10), Outcome(0.1, 201), Outcome(5, 0, "no answer in time")):
        tally.count(outcome)
    tally.snapshot(1.0, level=1)
    report = tally.report(2.0, acknowledged_posts=1, remembered_posts=1)
    assert report.statuses == {"0": 1, "200": 1, "201": 1}
    assert report.failures == {"no answer in time": 1}
    assert (report.requests, report.failed, report.received_bytes) == (3, 1, 10)
    assert report.latency.max == 5


def test_failure_reasons_are_bounded_but_none_is_lost() -> None:
    tally = Tally()
    for number in range(MAX_REASONS * 2):
        tally.count(Outcome(0.1, 0, f"reason {number}"))
    report = tally.report(1.0)
    assert len(report.failures) == MAX_REASONS + 1
    assert report.failures[OTHER_REASONS] == MAX_REASONS
    assert report.failed == MAX_REASONS * 2


def test_snapshots_and_reports_survive_json() -> None:
    tally = Tally()
    tally.count(Outcome(0.1, 200, instance="i-a"))
    snapshot, report = tally.snapshot(1.0, level=2), tally.report(1.0)
    assert Snapshot.from_json(json.loads(json.dumps(asdict(snapshot)))) == snapshot
    assert LoadReport.from_json(json.loads(json.dumps(asdict(report)))) == report
