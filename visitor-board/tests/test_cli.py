from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace

import pytest

from visitor_board.cli import main
from visitor_board.feed import Feed
from visitor_board.settings import Settings


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "visitor_board", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_create_table_and_seed_fill_a_board(
    endpoint: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "TABLE_NAME": settings.table_name}
    assert run("create-table", **environment).stdout == f"✓ Table {settings.table_name} is active\n"
    seeded = run("seed", "60", **environment)
    assert seeded.stdout == f"✓ 60 messages in {settings.table_name}\n"
    again = run("create-table", **environment)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("✗ ResourceInUseException: ")


def test_seeded_messages_are_on_the_page(feed: Feed, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNAMODB_ENDPOINT_URL", settings.endpoint)
    monkeypatch.setenv("TABLE_NAME", settings.table_name)
    assert main(["seed", "30"]) == 0
    page = feed.newest(25, consistent=True)
    assert (len(page.messages), page.next is not None) == (25, True)
    assert "(29)" in page.messages[0].text


def test_with_nothing_set_it_says_what_to_set() -> None:
    answer = run("serve", PORT="0", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert answer.returncode == 2
    assert "serve --local" in answer.stderr
    assert "AWS_ENDPOINT_URL_DYNAMODB" in answer.stderr


def test_a_bad_setting_is_one_line(endpoint: str) -> None:
    answer = run("serve", PORT="http")
    assert (answer.returncode, answer.stderr) == (2, "✗ PORT is 'http'; it must be a number.\n")


def test_a_taken_port_is_named(endpoint: str) -> None:
    port = endpoint.rpartition(":")[2]
    answer = run("serve", PORT=port, AWS_ENDPOINT_URL_DYNAMODB=endpoint)
    assert answer.returncode == 2
    assert f"127.0.0.1:{port}" in answer.stderr


def test_local_serves_on_the_embedded_store_and_leaves_nothing_behind(free_port: Callable[[], int]) -> None:
    pytest.importorskip("groundschool.dynamodb", reason="--local runs the embedded store")
    with subprocess.Popen(
        [sys.executable, "-m", "visitor_board", "serve", "--local"],
        env={**os.environ, "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        address = re.search(r"http://\S+:\d+", process.stdout.readline())
        store = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert address
        assert store
        body = urllib.request.Request(f"{address[0]}/", b"text=hello")
        with urllib.request.urlopen(body) as page:
            assert "hello" in page.read().decode()
        process.terminate()
        assert process.wait(10) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(store[0])


def test_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    text = capsys.readouterr().out
    assert all(variable in text for variable, _, _ in replace(Settings()).table())
