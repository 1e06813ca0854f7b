import math

import pytest

from groundschool.cloud.compute.guest.unit_file import environment_file, expand, parse_unit, time_span

BOARD = """
[Unit]
Description=Visitor Board
After=network-online.target

[Service]
User=ec2-user
Environment="GREETING=hello world" COLOUR=blue
EnvironmentFile=-/etc/board.env
WorkingDirectory=/opt/board
ExecStart=/opt/board/venv/bin/python -m waitress \\
    --port=${PORT} "board app:app"
Restart=on-failure
RestartSec=2
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


def test_a_unit_of_a_web_app_is_read_whole() -> None:
    unit = parse_unit("board.service", BOARD)
    assert unit.description == "Visitor Board"
    assert unit.command == ("/opt/board/venv/bin/python", "-m", "waitress", "--port=${PORT}", "board app:app")
    assert unit.environment == (("GREETING", "hello world"), ("COLOUR", "blue"))
    assert unit.environment_files == (("/etc/board.env", True),)
    assert (unit.working_directory, unit.restart, unit.restart_seconds) == ("/opt/board", "on-failure", 2)
    assert unit.wanted_by == ("multi-user.target",)


def test_what_the_lab_does_not_act_on_is_noted() -> None:
    notes = parse_unit("board.service", BOARD).notes
    assert any("User=ec2-user is accepted" in note for note in notes)
    assert any("LimitNOFILE= is not known" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("[Service]\nRestart=always\n", "no ExecStart", id="no command"),
        pytest.param("[Service]\nExecStart=/bin/sh -c 'oops\n", "ExecStart: No closing quotation", id="quotes"),
        pytest.param("[Service]\nExecStart=/bin/true\nRestartSec=soon\n", "time span", id="time span"),
    ],
)
def test_a_unit_that_cannot_start_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_unit("board.service", text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("100ms", 0.1), ("1min 30s", 90), ("2h", 7200), ("infinity", math.inf), ("0", 0)],
)
def test_a_time_span_is_read_as_systemd_reads_it(text: str, seconds: float) -> None:
    assert time_span(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("--port=${PORT}", ["--port=80"], id="inside a word"),
        pytest.param("$OPTIONS", ["-a", "-b"], id="a word of its own is split"),
        pytest.param("$MISSING", [], id="nothing from an unset variable"),
        pytest.param("x${MISSING}y", ["xy"], id="empty inside a word"),
        pytest.param("$$HOME", ["$HOME"], id="an escaped dollar"),
    ],
)
def test_variables_of_a_command_are_expanded_as_systemd_does(word: str, expected: list[str]) -> None:
    assert expand((word,), {"PORT": "80", "OPTIONS": "-a -b"}) == expected


def test_an_environment_file_has_comments_and_quotes() -> None:
    assert environment_file("# a comment\nA=1\nB='two words'\n\nnonsense\nC=\n") == {
        "A": "1",
        "B": "two words",
        "C": "",
    }
