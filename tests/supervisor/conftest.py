"""One real lab for all tests of this folder, in a state folder that others may look into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab_under_test import LabUnderTest


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    home = tmp_path_factory.mktemp("lab") / "ground"
    home.mkdir(mode=0o755)
    with LabUnderTest.started(home, speed=30) as made:
        yield made
