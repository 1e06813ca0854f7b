"""The load generator as its parent sees it: started, steered, watched and ended.

The generator is a process of its own, because gevent patches the standard library of the process it runs in.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import Self

from groundschool.errors import LoadError
from groundschool.traffic.load_shape import LoadShape
from groundschool.traffic.settings import LoadSettings
from groundschool.traffic.tally import LoadReport, Snapshot

END_GRACE = 5.0
"""Seconds the generator has, after the answers still due are in, to write its report."""


class LoadRun:
    """One running load. A context manager: leaving it leaves no process.

    The child is in a session of its own, so Ctrl-C in a terminal reaches only the parent, which then calls
    :meth:`stop` and still gets the report. When the parent dies, the child sees its input end and goes too.
    """

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self._told: queue.SimpleQueue[Snapshot | None] = queue.SimpleQueue()
        self._latest: Snapshot | None = None
        self._report: LoadReport | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "groundschool.traffic.generator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, name="load-snapshots", daemon=True),
            threading.Thread(target=self._read_errors, name="load-errors", daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._say(settings.to_json())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def latest(self) -> Snapshot | None:
        """The last second's snapshot; None in the first second."""
        return self._latest

    @property
    def over(self) -> bool:
        """True when the report is there, or never will be."""
        return self._process.poll() is not None and not self._readers[0].is_alive()

    def reshape(self, shape: LoadShape) -> None:
        """Goes on with another shape from now on; its second 0 is now."""
        self._say({"shape": asdict(shape)})

    def snapshots(self) -> Iterator[Snapshot]:
        """Each second's snapshot as it comes, until the load is over."""
        while (snapshot := self._told.get()) is not None:
            yield snapshot

    def stop(self) -> LoadReport:
        """Ends the load, waits for the answers still due and returns the report. Safe to call twice.

        Raises LoadError when the generator ended without a report.
        """
        self._say({"stop": True})
        try:
            self._process.wait(self._settings.drain_seconds + END_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.close()
        if self._report is None:
            last = self._errors[-1].strip() if self._errors else "it said nothing"
            raise LoadError(f"The load generator ended without a report (exit {self._process.returncode}): {last}")
        return self._report

    def close(self) -> None:
        """Ends the process at once when it still runs. Safe to call twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue

    def _say(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            return
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            # It has ended by itself; stop() tells why.
            return

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "snapshot" in message:
                self._latest = Snapshot.from_json(message["snapshot"])
                self._told.put(self._latest)
            else:
                self._report = LoadReport.from_json(message["report"])
        self._told.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors = [*self._errors[-19:], line]
