"""When a soaked lab is said to leak; the run itself is `make soak`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.soak.measurement import MB, Measurement
from tests.soak.verdict import leaks

REST = Measurement(10, 4, 300 * MB, 290 * MB, 24, 22, 66 * MB, 32 * MB, 9, 14, 3, 1 * MB)


def runs(*changes: dict[str, int]) -> list[Measurement]:
    return [replace(REST, **change) for change in changes]


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        pytest.param([REST] * 4, [], id="nothing changes"),
        pytest.param(runs({}, {"resident": 330 * MB}, {}, {}), [], id="a tenth more memory"),
        pytest.param(
            runs({}, {}, {}, {"resident": 331 * MB}), ["the supervisor's memory grew from 300 to 331 MB"], id="more"
        ),
        pytest.param(runs({}, {}, {}, {"descriptors": 25}), ["descriptors grew from 24 to 25"], id="one descriptor"),
        pytest.param(runs({}, {"descriptors": 25}, {}, {"descriptors": 25}), [], id="one that comes and goes"),
        pytest.param(runs({}, {}, {"processes": 10}, {}), ["processes grew from 9 to 10"], id="a process"),
        pytest.param(runs({}, {}, {}, {"folders": 15}), ["folders grew from 14 to 15"], id="a folder"),
        pytest.param(runs({}, {}, {}, {"threads": 23}), ["threads grew from 22 to 23"], id="a thread"),
        pytest.param(
            runs({}, {}, {}, {"control_groups": 4}), ["control groups grew from 3 to 4"], id="a control group"
        ),
        pytest.param(
            runs({}, {}, {}, {"log_bytes": 50 * MB}), ["the logs have 50.0 MB"], id="logs that are not rotated"
        ),
    ],
)
def test_a_run_is_judged(measured: list[Measurement], said: list[str]) -> None:
    assert leaks(measured, 40 * MB) == said


def test_too_few_measurements_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="needs 4"):
        leaks([REST] * 3, 40 * MB)
