from __future__ import annotations

import pytest

from groundschool.cloud.monitoring.metric_math import MathError, compute, names_in

PERIODS = [0.0, 60.0, 120.0]
KNOWN = {"m1": {0.0: 10.0, 120.0: 30.0}, "m2": {0.0: 2.0, 60.0: 4.0, 120.0: 0.0}}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("m1 + m2", {0: 12, 120: 30}),
        ("100 * m1", {0: 1000, 120: 3000}),
        ("m1 / m2", {0: 5}),
        ("-m1", {0: -10, 120: -30}),
        ("(1 + 2) * 3", 9),
        ("FILL(m1, 0)", {0: 10, 60: 0, 120: 30}),
        ("FILL(m1, REPEAT)", {0: 10, 60: 10, 120: 30}),
        ("FILL(m1, m2)", {0: 10, 60: 4, 120: 30}),
        ("SUM([m1, m2])", {0: 12, 60: 4, 120: 30}),
        ("AVG(METRICS())", {0: 6, 60: 4, 120: 15}),
        ("MAX(m1)", 30),
        ("m1 > 15", {0: 0, 120: 1}),
        ("IF(m2 > 1, m2, -1)", {0: 2, 60: 4, 120: -1}),
        ("CEIL(m1 / 4)", {0: 3, 120: 8}),
        ("m1 / SUM(m2) * 6", {0: 10, 120: 30}),
    ],
)
def test_an_expression_is_computed_per_timestamp(expression, result):
    assert compute(expression, KNOWN, list(KNOWN.values()), PERIODS) == result


@pytest.mark.parametrize(
    "expression",
    [
        "m1 +",
        "m3",
        "[m1, m2]",
        "__import__('os')",
        "m1.real",
        "(lambda: 1)()",
        "RATE(m1)",
        "SUM(m1, m2)",
        "'text'",
        "True",
        "m1 ** 999999",
        "1 / 0",
        "-" * 900 + "1",
        "9" * 1000,
        "m1" + " + m1" * 500,
        "",
        "m1; m2",
        "\x00",
    ],
)
def test_anything_else_is_refused_with_a_reason(expression):
    with pytest.raises(MathError, match=r"\w+"):
        compute(expression, KNOWN, [], PERIODS)


def test_an_expression_names_what_it_refers_to():
    assert names_in("SUM([m1, e2]) / FILL(m3, REPEAT)") == {"m1", "e2", "m3"}
