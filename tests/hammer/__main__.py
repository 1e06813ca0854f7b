"""``make hammer``: eight clients on the API for a minute. Exits with 1 for a failed request or a lost update."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.hammer.hammer import CLIENTS, hammer, lost, prepare
from tests.lab_under_test import LabUnderTest


def main() -> int:
    parser = argparse.ArgumentParser(prog="make hammer", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with (
        tempfile.TemporaryDirectory(prefix="ground-hammer-") as folder,
        LabUnderTest.started(Path(folder) / "ground", speed=10) as lab,
    ):
        prepare(lab)
        told = hammer(lab, seconds)
        found = lost(lab, told)
    updates = sum(sum(each.done.values()) + sum(map(len, each.kept.values())) for each in told)
    failed = sum((each.failed for each in told), Counter[str]())
    print(f"{CLIENTS} clients, {seconds:.0f} s, {updates} updates, failed requests: {dict(failed) or 'none'}")
    print("\n".join(f"✗ {each}" for each in found) or "✓ No update is lost")
    return 1 if found or failed else 0


if __name__ == "__main__":
    sys.exit(main())
