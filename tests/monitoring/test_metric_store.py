from __future__ import annotations

import pytest

from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey, MetricStore, StatisticSet, is_statistic

KEY = MetricKey("Board", "Latency", frozenset({("Page", "home")}))


def store(*puts: tuple[float, tuple[float, ...]]) -> MetricStore:
    filled = MetricStore()
    filled.put(MetricData(KEY, at, values) for at, values in puts)
    return filled


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("SampleCount", 4),
        ("Average", 2.5),
        ("Sum", 10),
        ("Minimum", 1),
        ("Maximum", 4),
        ("p50", 2),
        ("p75", 3),
        ("p99.9", 4),
        ("p0", 1),
        ("p100", 4),
    ],
)
def test_values_of_one_period_become_a_statistic(statistic, value):
    filled = store((0, (4.0, 1.0)), (59.9, (3.0, 2.0)))
    assert [(p.at, p.value) for p in filled.query(KEY, statistic, 60, 0, 60)] == [(0, value)]


@pytest.mark.parametrize("name", ["p101", "p", "tm99", "average", "p99.", "Median"])
def test_other_statistics_are_unknown(name):
    assert not is_statistic(name)


def test_a_period_gathers_its_minutes():
    filled = store(*((minute * 60, (float(minute),)) for minute in range(10)))
    assert [(p.at, p.value) for p in filled.query(KEY, "Sum", 300, 0, 600)] == [(0, 10), (300, 35)]


def test_the_end_is_exclusive_and_gaps_stay_gaps():
    filled = store((0, (1.0,)), (120, (2.0,)), (180, (3.0,)))
    assert [p.at for p in filled.query(KEY, "Sum", 60, 0, 180)] == [0, 120]


def test_counts_weigh_values():
    filled = MetricStore()
    filled.put([MetricData(KEY, 0, (1.0, 10.0), (99.0, 1.0))])
    assert [filled.query(KEY, name, 60, 0, 60)[0].value for name in ("SampleCount", "p99", "p100")] == [100, 1, 10]


def test_a_statistic_set_has_no_percentiles():
    filled = MetricStore()
    filled.put([StatisticSet(KEY, 0, count=3, total=30, minimum=5, maximum=20)])
    assert filled.query(KEY, "Average", 60, 0, 60)[0].value == 10
    assert filled.query(KEY, "p50", 60, 0, 60) == []


def test_a_statistic_set_of_one_value_has_percentiles():
    filled = MetricStore()
    filled.put([StatisticSet(KEY, 0, count=1, total=7, minimum=7, maximum=7)])
    assert filled.query(KEY, "p50", 60, 0, 60)[0].value == 7


def test_percentiles_are_exact_to_three_digits_and_bounded_in_memory():
    filled = store((0, tuple(n / 7 for n in range(1, 50_001))))
    aggregate = filled.aggregates(KEY, 60, 0, 60)[0.0]
    assert aggregate.values is not None
    assert len(aggregate.values) < 5000
    assert aggregate.statistic("p90") == pytest.approx(45_000 / 7, rel=0.005)


def test_old_data_are_forgotten():
    filled = MetricStore(retention=600)
    filled.put(MetricData(KEY, minute * 60, (1.0,)) for minute in range(30))
    assert len(filled.query(KEY, "Sum", 60, 0, 1800)) == 11


def test_a_metric_without_data_left_is_no_longer_listed():
    filled = MetricStore(retention=600)
    filled.put([MetricData(KEY, 0, (1.0,))])
    filled.forget_before(600)
    assert filled.all() == [KEY]
    filled.forget_before(660)
    assert filled.all() == []


def test_data_before_the_lab_started_have_their_own_minutes():
    filled = store((-30, (1.0,)), (30, (2.0,)))
    assert [(p.at, p.value) for p in filled.query(KEY, "Sum", 60, -60, 60)] == [(-60, 1), (0, 2)]


def test_a_unit_can_be_asked_for():
    filled = MetricStore()
    filled.put([MetricData(KEY, 0, (1.0,), unit="Seconds"), MetricData(KEY, 60, (2.0,), unit="Count")])
    assert [p.value for p in filled.query(KEY, "Sum", 60, 0, 120, unit="Count")] == [2]
