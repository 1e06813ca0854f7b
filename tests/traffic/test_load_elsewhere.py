"""Load that would leave this machine: bounded, priced and agreed to first. No test here sends any."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundschool.cli import load
from groundschool.cli.load_elsewhere import most_requests, price_line
from groundschool.errors import LoadError, UsageError
from groundschool.traffic.destination import destination, is_elsewhere, within_bounds
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings, Loop

AWS_URL = "http://visitor-board-1.eu-north-1.elb.amazonaws.com/"


class NotSent(Exception):
    """Raised where the load would begin."""


@pytest.fixture(autouse=True)
def started(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> list[LoadSettings]:
    """The settings of the loads that would have begun."""
    begun: list[LoadSettings] = []

    def begin(settings: LoadSettings) -> None:
        begun.append(settings)
        raise NotSent

    monkeypatch.setattr(load, "LoadRun", begin)
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))
    return begun


def run(monkeypatch: pytest.MonkeyPatch, *words: str, answer: str | None = None) -> Result:
    monkeypatch.setattr("groundschool.cli.confirm.is_terminal", lambda: answer is not None)
    return CliRunner().invoke(load.command, ["--url", AWS_URL, *words], input=answer)


def settings(level: float, seconds: float, loop: Loop = Loop.OPEN) -> LoadSettings:
    return LoadSettings("http://example", LoadShape.constant(level, seconds), loop)


def test_it_says_how_much_and_what_it_costs_and_asks_whose_it_is(monkeypatch: pytest.MonkeyPatch, started: Any) -> None:
    done = run(monkeypatch, "--rate", "100", "--duration", "600", answer="n\n")

    assert done.exit_code == 1
    assert done.stderr.startswith(
        f"{AWS_URL} is not on this machine. It would get up to 60,000 requests in 600 s.\nAt most $0.0"
    )
    assert "Is it yours, and may it be loaded? [y/N]: n\nNothing was changed." in done.stderr
    assert done.stdout == ""
    assert started == []


@pytest.mark.parametrize(("words", "answer"), [((), "y\n"), (("--yes",), None)], ids=["a yes", "--yes"])
def test_it_begins_once_it_is_agreed_to(
    monkeypatch: pytest.MonkeyPatch, started: list[LoadSettings], words: tuple[str, ...], answer: str | None
) -> None:
    done = run(monkeypatch, "--rate", "10", *words, answer=answer)

    assert isinstance(done.exception, NotSent)
    assert [each.host_header for each in started] == ["visitor-board-1.eu-north-1.elb.amazonaws.com"]


def test_without_a_terminal_it_takes_a_yes(monkeypatch: pytest.MonkeyPatch, started: list[LoadSettings]) -> None:
    assert isinstance(run(monkeypatch).exception, UsageError)
    assert started == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "1001"], "1001 requests per second are too much"),
        (["--users", "1001"], "1001 users are too many"),
        (["--duration", "1801"], "1801 s of load are too much"),
    ],
)
def test_more_than_the_bounds_is_refused_even_with_a_yes(
    monkeypatch: pytest.MonkeyPatch, started: list[LoadSettings], words: list[str], said: str
) -> None:
    done = run(monkeypatch, *words, "--yes")

    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert started == []


def test_the_bounds_are_for_other_machines_only(monkeypatch: pytest.MonkeyPatch, started: list[LoadSettings]) -> None:
    CliRunner().invoke(load.command, ["--url", "http://127.0.0.1:8080/", "--rate", "5000", "--duration", "9000"])

    assert [each.shape.seconds for each in started] == [9000]
    within_bounds(settings(1000, 1800))


def test_an_address_elsewhere_needs_an_agreement() -> None:
    assert is_elsewhere(AWS_URL)
    assert not is_elsewhere("http://board-1.eu-north-1.elb.localhost:8080/")
    with pytest.raises(LoadError):
        destination(AWS_URL)
    assert destination(AWS_URL, agreed=True).connect_port == 80


def test_the_most_requests_are_told_for_both_loops() -> None:
    assert most_requests(settings(20, 30)) == 600
    assert most_requests(settings(10, 60, Loop.CLOSED)) == 1200, "no user asks more than twice a second"


def test_a_price_that_is_not_recorded_is_said_to_be_so() -> None:
    assert price_line(1000, settings(1, 1000), "xx-nowhere-1").startswith("Its price is not known here (No price")
