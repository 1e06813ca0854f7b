"""Eight clients at once; `make hammer` does it for a minute."""

from __future__ import annotations

from tests.hammer.hammer import hammer, lost, prepare
from tests.lab_under_test import LabUnderTest

SECONDS = 4.0


def test_eight_clients_at_once_fail_nowhere_and_lose_no_update(lab: LabUnderTest) -> None:
    prepare(lab)
    told = hammer(lab, SECONDS)
    assert [dict(each.failed) for each in told if each.failed] == []
    assert all(each.done["version"] for each in told)
    assert lost(lab, told) == []
