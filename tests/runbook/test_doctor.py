"""Each of the doctor's findings, both ways."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundschool.cli import doctor_findings as doctor
from groundschool.cli.doctor import command
from groundschool.cli.doctor_findings import Finding
from groundschool.cloud.settings import LabSettings
from tests.lab.conftest import reserve_lab_port

SETTINGS = LabSettings(port=5861)

WELL = {
    "programs": doctor.programs(lambda name: f"/usr/bin/{name}"),
    "cores": doctor.cores(2, 0.5),
    "memory": doctor.space("memory", 4000, 1000, "Close something"),
    "clock": doctor.clock(now=1000.0, installed=900.0),
    "no variables": doctor.variables({}, SETTINGS),
    "variables of this lab": doctor.variables({"AWS_ENDPOINT_URL": SETTINGS.url}, SETTINGS),
}

ILL = {
    "a program is missing": (doctor.programs(lambda name: None if name == "curl" else name), "no curl", True),
    "one core": (doctor.cores(1, 0.1), "1 core", False),
    "a busy machine": (doctor.cores(2, 5.0), "load of 5.0", False),
    "little memory": (doctor.space("memory", 400, 1000, "Close something"), "400 MB free", True),
    "a clock that is behind": (doctor.clock(now=100.0, installed=90_000.0), "behind", True),
    "another lab's variables": (doctor.variables({"AWS_ENDPOINT_URL": "http://x"}, SETTINGS), "http://x", False),
    "a profile": (doctor.variables({"AWS_PROFILE": "work"}, SETTINGS), "profile work", False),
}


@pytest.mark.parametrize("case", WELL)
def test_what_is_well_needs_no_remedy(case: str) -> None:
    assert WELL[case].remedy is None
    assert not WELL[case].stops


@pytest.mark.parametrize("case", ILL)
def test_what_is_ill_is_told_with_a_remedy(case: str) -> None:
    finding, told, stops = ILL[case]

    assert told in finding.found
    assert finding.remedy
    assert finding.stops is stops


def test_a_port_that_somebody_holds_stops_a_session_and_a_free_one_does_not(tmp_path: Path) -> None:
    port, lock = reserve_lab_port()
    settings = LabSettings(home=tmp_path, port=port)
    try:
        assert not any(each.stops for each in doctor.ports(settings))
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))
            other.listen()
            assert any(each.stops and "is taken by pid" in each.found for each in doctor.ports(settings))
    finally:
        os.close(lock)


def test_nothing_is_left_where_no_lab_has_been(tmp_path: Path) -> None:
    assert doctor.leftovers(tmp_path) == Finding("leftovers", "none")


def test_the_exit_code_says_whether_a_session_could_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for stops, code in ((False, 0), (True, 1)):
        found = [Finding("disk", "told", "mend it", stops)]
        monkeypatch.setattr("groundschool.cli.doctor.examine", lambda _, found=found: found)
        result = CliRunner().invoke(command)
        assert result.exit_code == code
        assert "mend it" in result.output
