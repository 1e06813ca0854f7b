"""``ground load``, as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundschool.cli.load import command
from groundschool.errors import UsageError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUND_HOME", str(tmp_path))


def load(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_piped_it_prints_a_line_per_second_and_the_summary(board: Any, tmp_path: Path) -> None:
    result = load("--rate", "20", "--duration", "2", "--url", board.url)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert " answers " in lines[0]
    assert "i-0123456789abcdef0 100%" in lines[0]
    assert "✓ 40 requests in 2 s, 0 failed" in lines
    assert "  4 posts acknowledged, 4 remembered" in lines
    assert lines[-1].startswith("Next: ")
    assert len((tmp_path / "load" / "acknowledged-posts.txt").read_text().split()) == 4


def test_as_json_every_line_is_a_snapshot_and_the_last_the_report(board: Any) -> None:
    result = load("--users", "3", "--duration", "1", "--url", board.url, "--json")
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert all("snapshot" in line for line in lines[:-1])
    assert lines[-1]["report"]["connections"] == 3


def test_a_failed_request_gives_exit_code_1_and_the_reason(board: Any) -> None:
    board.status = 503
    result = load("--rate", "5", "--duration", "1", "--url", board.url)
    assert result.exit_code == 1
    assert "x HTTP 503" in result.output


def test_users_and_rate_together_are_refused() -> None:
    result = load("--users", "3", "--rate", "3", "--url", "http://127.0.0.1/")
    assert isinstance(result.exception, UsageError)


def test_another_machine_is_asked_about_and_so_refused_where_nobody_can_answer() -> None:
    result = load("--url", "http://example.com/")
    assert isinstance(result.exception, UsageError)
    assert "there is no terminal to ask on" in str(result.exception)


def test_ctrl_c_ends_the_load_with_the_summary(board: Any, tmp_path: Path) -> None:
    code = "from groundschool.cli.load import command; command()"
    arguments = [sys.executable, "-c", code, "--rate", "20", "--duration", "60", "--url", board.url, "--json"]
    environment = os.environ | {"GROUND_HOME": str(tmp_path)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        *_, last = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert json.loads(last)["report"]["requests"] == board.pages + len(board.posts)
