"""Following a log that another process writes."""

from __future__ import annotations

import random
from pathlib import Path

from groundschool.cloud.network.envoy.files import GrowingLog, WatchedFiles


class Writer:
    """Writes as Envoy does: into the file it has open, until it is asked to open its path again, and a little later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = False
        self._file = path.open("ab", buffering=0)

    def reopen(self) -> None:
        self.asked = True

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def obey(self) -> None:
        if self.asked:
            self.close()
            self._file = self.path.open("ab", buffering=0)
            self.asked = False

    def close(self) -> None:
        self._file.close()


def test_a_log_that_does_not_exist_yet_is_empty(tmp_path):
    assert GrowingLog(tmp_path / "log", 10, lambda: None).new_lines() == []


def test_a_half_written_line_waits_for_its_end(tmp_path):
    writer = Writer(tmp_path / "log")
    log = GrowingLog(writer.path, 1000, writer.reopen)
    writer.write(b"one\ntw")
    assert log.new_lines() == [b"one"]
    writer.write(b"o\n")
    assert log.new_lines() == [b"two"]
    log.close()
    writer.close()


def test_rotation_loses_and_repeats_no_line(tmp_path):
    writer = Writer(tmp_path / "log")
    log = GrowingLog(writer.path, 50, writer.reopen)
    order, got = random.Random(7), []
    for number in range(2000):
        writer.write(b"line %d\n" % number)
        if order.random() < 0.3:
            got += log.new_lines()
        if order.random() < 0.2:
            writer.obey()
    writer.obey()
    got += log.new_lines() + log.new_lines()
    assert got == [b"line %d" % number for number in range(2000)]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1000
    log.close()
    writer.close()


def test_unchanged_files_are_not_written_again(tmp_path):
    files = WatchedFiles(tmp_path)
    files.write({"a/one.json": b"1", "b/two.json": b"2"})
    before = {name: (tmp_path / name).stat().st_ino for name in ("a/one.json", "b/two.json")}
    files.write({"a/one.json": b"1", "b/two.json": b"3"})
    assert (tmp_path / "a/one.json").stat().st_ino == before["a/one.json"]
    assert (tmp_path / "b/two.json").read_bytes() == b"3"
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["two.json"]
