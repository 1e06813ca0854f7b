"""One real lab for all tests of this folder, and boto3's own clients for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab_under_test import LabUnderTest


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    with LabUnderTest.started(tmp_path_factory.mktemp("lab") / "ground", speed=30) as made:
        yield made
