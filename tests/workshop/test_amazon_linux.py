"""What is compiled for another machine is never shipped: the wheel for Amazon Linux is, or nothing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from groundschool.errors import BuildError
from groundschool.workshop import amazon_linux, install_script
from groundschool.workshop.amazon_linux import AmazonLinux
from groundschool.workshop.release import make_release
from groundschool.workshop.world import World

HERE = (sys.version_info.major, sys.version_info.minor)


class Installed(Distribution):
    """A distribution of which only the wheel's tag is known."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def read_text(self, filename: str) -> str | None:
        return {"WHEEL": f"Wheel-Version: 1.0\nTag: {self.tag}\n", "METADATA": "Name: fast\nVersion: 1.2\n"}[filename]

    def locate_file(self, path: object) -> Path:
        raise AssertionError("none of its files may be shipped")


@pytest.mark.parametrize(
    ("tag", "x86", "arm"),
    [
        pytest.param("py3-none-any", True, True, id="pure Python"),
        pytest.param("py2.py3-none-any", True, True, id="pure Python of both ages"),
        pytest.param("cp312-cp312-manylinux2014_x86_64", True, False, id="glibc 2.17 by its old name"),
        pytest.param("cp312-cp312-manylinux_2_28_aarch64", False, True, id="the other architecture"),
        pytest.param("cp38-abi3-manylinux_2_34_x86_64", True, False, id="stable ABI, exactly Amazon Linux's glibc"),
        pytest.param("cp312-cp312-manylinux_2_35_x86_64", False, False, id="a newer glibc"),
        pytest.param("cp311-cp311-manylinux2014_x86_64", False, False, id="another Python"),
        pytest.param("cp312-cp312-linux_x86_64", False, False, id="compiled on this machine"),
        pytest.param("cp312-cp312-macosx_11_0_arm64", False, False, id="a Mac"),
        pytest.param("cp312-cp312-musllinux_1_2_x86_64", False, False, id="Alpine"),
        pytest.param("cp312-cp312-win_amd64", False, False, id="Windows"),
    ],
)
def test_a_wheel_runs_where_its_tag_says(tag: str, x86: bool, arm: bool) -> None:
    installed = Installed(tag)

    assert AmazonLinux("x86_64", (3, 12)).runs(installed) is x86
    assert AmazonLinux("arm64", (3, 12)).runs(installed) is arm


@pytest.mark.parametrize(("python", "refused"), [((3, 10), True), ((3, 11), False), ((3, 14), False), ((3, 15), True)])
def test_a_python_that_amazon_linux_does_not_have_is_refused(python: tuple[int, int], refused: bool) -> None:
    if not refused:
        AmazonLinux("x86_64", python).require_python()
        return
    with pytest.raises(BuildError, match=rf"3\.11, 3\.12, 3\.13, 3\.14, and this is {python[0]}\.{python[1]}"):
        AmazonLinux("x86_64", python).require_python()


@pytest.fixture
def on_a_mac(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """itsdangerous as if compiled for a Mac, and a pip that has the other wheel; the commands it was given."""
    real, asked = AmazonLinux.runs, list[list[str]]()
    monkeypatch.setattr(AmazonLinux, "runs", lambda self, each: each.name != "itsdangerous" and real(self, each))

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        folder = next(word for word in command if word.startswith("--dest=")).removeprefix("--dest=")
        with zipfile.ZipFile(f"{folder}/itsdangerous-9-cp311.whl", "w") as wheel:
            wheel.writestr("itsdangerous/__init__.py", "# of the wheel\n")
            wheel.writestr("itsdangerous-9.dist-info/RECORD", "")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(amazon_linux.subprocess, "run", pip)
    make_release.cache_clear()
    yield asked
    make_release.cache_clear()


def test_the_other_machines_wheel_is_shipped_in_place_of_what_is_installed_here(on_a_mac: list[list[str]]) -> None:
    release = make_release("itsdangerous", AmazonLinux("arm64", HERE))

    assert release.files == (("itsdangerous/__init__.py", b"# of the wheel\n"),)
    [command] = on_a_mac
    assert {"--only-binary=:all:", "--no-deps", "--platform=manylinux_2_34_aarch64"} <= set(command)
    assert f"--python-version={HERE[0]}.{HERE[1]}" in command
    assert command[-1].startswith("itsdangerous==")


def test_without_that_wheel_there_is_no_release_and_the_error_says_what_to_do(
    on_a_mac: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = subprocess.CompletedProcess([], 1, "", "WARNING: Retrying\nERROR: No matching distribution found")
    monkeypatch.setattr(amazon_linux.subprocess, "run", lambda *_, **__: offline)

    with pytest.raises(BuildError, match=r"itsdangerous==.*: ERROR: No matching distribution found\. Go online, or"):
        make_release("itsdangerous", AmazonLinux("x86_64", HERE))


def test_in_the_lab_what_is_installed_here_is_shipped_because_it_runs_here(
    on_a_mac: list[list[str]], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_script.current_release(world)
    assert len(on_a_mac) == 1, "on AWS the wheel is fetched"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")

    here = install_script.current_release(World.from_environment(world.settings))

    assert len(on_a_mac) == 1
    assert "itsdangerous/signer.py" in dict(here.files)
