from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_published_capacity_units_are_those_the_table_answers(endpoint: str) -> None:
    command = [sys.executable, str(ROOT / "bench/board/capacity.py"), "--endpoint", endpoint]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    assert printed == (ROOT / "docs/visitor-board-capacity.md").read_text()
