"""What may differ between shown and printed output, and what may not."""

from __future__ import annotations

import pytest

from groundschool.runbook.shown_output import difference


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        pytest.param("i-0a1b2c3d4e5f60718 running", "i-0fffffffffffffff0 running", id="ids"),
        pytest.param("at 203.0.113.9", "at 127.60.10.4", id="addresses"),
        pytest.param(
            "http://a-1.eu-north-1.elb.localhost:8080/", "http://b-22.us-east-1.elb.amazonaws.com/", id="names"
        ),
        pytest.param("At 2026-01-01T00:00:00Z", "At 2026-11-22T19:40:16Z", id="times"),
        pytest.param("ready (1.9 s)", "ready (12.0 s)", id="durations"),
        pytest.param("release 686e288975596943", "release 496b49ae934490c6", id="digests"),
        pytest.param("a   b\n", "a\tb", id="columns"),
        pytest.param("one\n...\nfour", "one\ntwo\nthree\nfour", id="lines left out"),
        pytest.param("one\n...", "one", id="no line left out"),
    ],
)
def test_what_differs_from_run_to_run_is_tolerated(shown: str, printed: str) -> None:
    assert difference(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        pytest.param("running", "stopped", id="words"),
        pytest.param("a\nb", "a", id="a missing line"),
        pytest.param("a", "a\nb", id="a line too many"),
        pytest.param("sg-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60718", id="an id of another kind"),
        pytest.param("5 of 5", "4 of 5", id="counts"),
        pytest.param("8080 from 0.0.0.0/0", "8080 from 10.0.0.0/8", id="the world is no address"),
        pytest.param("one\n...\nfour", "one\ntwo\nfive", id="another ending"),
        pytest.param("one\n...\ntwo\n...\nthree", "one\nthree", id="a middle that is not there"),
        pytest.param("one\n...\none", "one", id="one line cannot be two"),
        pytest.param("every 10 s", "every 30 s", id="a setting is no duration"),
    ],
)
def test_everything_else_is_told_with_both_sides(shown: str, printed: str) -> None:
    told = difference(shown, printed)

    assert told is not None
    assert "shown:" in told
    assert "printed:" in told
