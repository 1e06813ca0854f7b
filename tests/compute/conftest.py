"""A small lab of machines: real processes below pytest's temporary folder, all ended after the test."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundschool.cloud.compute.base_image import build_base_image
from groundschool.cloud.compute.cpu_budget import choose_budget
from groundschool.cloud.compute.machine import Boot, BootState, Machine, MachineHost
from groundschool.cloud.compute.spawner import Spawner

DEADLINE = 20.0
MIB = 1024 * 1024


def _wait_for(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Polls a condition: ``wait_for(condition, what)`` fails with the name of what did not come."""
    return _wait_for


class Machines:
    """Makes machines ``i-1``, ``i-2``, ... with generous quotas, so that tests wait for behaviour, not for CPU."""

    def __init__(self, folder: Path, host: MachineHost) -> None:
        self.folder = folder
        self.host = host
        self.made: list[Machine] = []

    def make(
        self, user_data: str = "", image: Path | None = None, memory: int = 1024 * MIB, **environment: str
    ) -> Machine:
        number = len(self.made) + 1
        address = f"127.1.20.{number}"
        machine = Machine(
            f"i-{number}",
            self.folder / "instances" / f"i-{number}",
            self.host,
            address=address,
            cores=1.0,
            memory=memory,
            metadata_endpoint=f"http://{address}:23339/",
            user_data=user_data,
            environment=environment,
            image=image,
        )
        self.made.append(machine)
        return machine

    def boot(
        self, user_data: str = "", image: Path | None = None, memory: int = 1024 * MIB, **environment: str
    ) -> tuple[Machine, Boot]:
        machine = self.make(user_data, image, memory, **environment)
        machine.start(first_boot=True)
        boot = machine.wait_until_booted(DEADLINE)
        assert boot.state is BootState.READY, machine.console_output()
        return machine, boot


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    spawner = Spawner()
    host = MachineHost(spawner, choose_budget(f"test-{tmp_path.name}"), build_base_image(tmp_path / "base"))
    lab = Machines(tmp_path, host)
    yield lab
    for machine in lab.made:
        with contextlib.suppress(OSError):
            machine.stop(grace=0.2)
    host.budgets.close()
    spawner.close()
