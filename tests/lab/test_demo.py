"""The main job, end to end: what ``make demo`` promises."""

from __future__ import annotations

import re
import signal

import pytest

from tests.lab.conftest import Ground, wait_for

pytestmark = pytest.mark.lab


@pytest.mark.timeout(330)
def test_the_demo_scales_out_and_in_without_a_failed_request_and_leaves_nothing(ground: Ground) -> None:
    demo = ground("demo", timeout=300)
    assert demo.returncode == 0, demo.stdout[-4000:] + demo.stderr
    assert re.search(r"✓ [\d,]+ requests in \d+ s, 0 failed", demo.stdout)
    assert re.search(r"in service \d -> [4-9]", demo.stdout)
    assert "triggered policy visitor-board-cpu changing the desired capacity from 2 to" in demo.stdout
    assert "an instance was taken out of service in response to a difference between desired" in demo.stdout
    assert ground.processes() == []


def test_ctrl_c_in_the_demo_takes_the_lab_down(ground: Ground) -> None:
    with ground.start("demo") as demo:
        wait_for(lambda: (ground.home / "lab.json").exists(), 30, "a ready lab")
        wait_for(lambda: any((ground.home / "instances").glob("i-*")), 30, "the first instance")
        demo.send_signal(signal.SIGINT)
        words = demo.communicate(timeout=60)[0]
    assert demo.returncode != 0
    assert "Traceback" not in words
    assert ground.processes() == []
