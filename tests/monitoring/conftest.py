from __future__ import annotations

import pytest

from .laboratory import Laboratory


@pytest.fixture
def lab() -> Laboratory:
    return Laboratory()
