"""What a lab leaves in its state folder for those who come later, and who may have the folder."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from groundschool.cloud.process_record import record_process, write_record
from groundschool.cloud.supervisor.lab_record import (
    FOLDERS,
    LabRecord,
    hold,
    running_lab,
    supervisor,
    write_lab,
)
from groundschool.errors import LabError, LabHeld, LabNotRunning

RECORD = LabRecord(
    url="http://127.0.0.1:4561",
    dynamodb_url="http://127.0.0.1:4562",
    region="eu-north-1",
    account_id="123456789012",
    speed=10.0,
    started_at="2026-01-01T00:00:00+00:00",
    access_key_id="AKIAROOT",
    secret_access_key="root",
)


def of_this_process(home: Path) -> None:
    write_record(record_process(os.getpid(), "supervisor"), home / "supervisor.json")


def test_a_running_lab_is_found_with_all_that_a_client_needs(tmp_path: Path) -> None:
    of_this_process(tmp_path)
    write_lab(tmp_path, RECORD)
    assert running_lab(tmp_path) == RECORD
    assert RECORD.environment()["AWS_ENDPOINT_URL"] == RECORD.url
    assert RECORD.environment()["AWS_ENDPOINT_URL_DYNAMODB"] == RECORD.dynamodb_url


def test_the_record_is_for_its_owner_also_when_it_replaces_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{}")
    (tmp_path / "lab.json").chmod(0o644)
    write_lab(tmp_path, RECORD)
    assert stat.S_IMODE((tmp_path / "lab.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["lab.json"]


@pytest.mark.parametrize("left", ["nothing", "a record alone", "a lab that died", "another process with that pid"])
def test_a_lab_that_does_not_run_is_said_to(tmp_path: Path, left: str) -> None:
    if left == "a record alone":
        of_this_process(tmp_path)  # it is starting: not ready yet
    elif left != "nothing":
        write_lab(tmp_path, RECORD)
        mine = record_process(os.getpid(), "supervisor")
        pid = 2**22 + 1 if left == "a lab that died" else mine.pid
        write_record(replace(mine, pid=pid, started="another time"), tmp_path / "supervisor.json")
        assert supervisor(tmp_path) is None
    with pytest.raises(LabNotRunning, match="ground up"):
        running_lab(tmp_path)


def test_a_held_lab_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    home = tmp_path / "ground"
    with hold(home):
        of_this_process(home)
        with pytest.raises(LabHeld, match=f"pid {os.getpid()}"):
            hold(home)
    hold(home).close()


def test_the_folder_is_for_its_owner(tmp_path: Path) -> None:
    hold(tmp_path / "ground").close()
    assert stat.S_IMODE((tmp_path / "ground").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_no_lab_made_is_not_cleared(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(LabError, match=f"folder {name} that no lab made"):
        hold(tmp_path)
    assert not (tmp_path / "lab.lock").exists()


def test_a_folder_with_other_things_in_it_may_become_a_labs(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    hold(tmp_path).close()


def test_what_an_earlier_lab_left_is_its_successors(tmp_path: Path) -> None:
    hold(tmp_path).close()
    (tmp_path / "instances").mkdir()
    hold(tmp_path).close()
