"""Amazon Linux 2023: which packages its instances can run.

AWS: AL2023 user guide, "Python in AL2023" (3.11 to 3.14 beside the system's 3.9) and "Core toolchain packages" (glibc
2.34).
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

from groundschool.errors import BuildError

PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
GLIBC_MINOR = 34
"""Wheels for glibc 2.5 (the oldest there are) to 2.34 run; PEP 600 numbers the platforms so."""
LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
"""Names of some of these platforms from before PEP 600."""


@dataclass(frozen=True)
class AmazonLinux:
    """Amazon Linux 2023 on one architecture (``x86_64`` or ``arm64``), with the Python that runs here."""

    architecture: str
    python: tuple[int, int] = (sys.version_info.major, sys.version_info.minor)

    def require_python(self) -> None:
        """BuildError when Amazon Linux has no package of this Python."""
        if self.python not in PYTHONS:
            offered = ", ".join(f"{major}.{minor}" for major, minor in PYTHONS)
            raise BuildError(
                f"Amazon Linux 2023 has Python {offered}, and this is {self.python[0]}.{self.python[1]}: what "
                f"is packed here would not run there. Install with another: make clean, make PYTHON=python3.12 install"
            )

    @property
    def platforms(self) -> list[str]:
        """Of wheels that run, the newest first."""
        machine = "aarch64" if self.architecture == "arm64" else self.architecture
        names = []
        for minor in range(GLIBC_MINOR, 4, -1):
            names.append(f"manylinux_2_{minor}_{machine}")
            if minor in LEGACY:
                names.append(f"{LEGACY[minor]}_{machine}")
        return names

    @cached_property
    def tags(self) -> frozenset[Tag]:
        compiled = cpython_tags(self.python, platforms=self.platforms)
        pure = compatible_tags(self.python, f"cp{self.python[0]}{self.python[1]}", self.platforms)
        return frozenset((*compiled, *pure))

    @property
    def markers(self) -> dict[str, str]:
        """What a requirement's marker (PEP 508) may ask about the machine."""
        machine = "aarch64" if self.architecture == "arm64" else self.architecture
        return {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": machine}

    def runs(self, installed: Distribution) -> bool:
        """Whether what is installed here runs there as it is, by the tags its installer noted in ``WHEEL``.

        Compiled on this machine (``linux_x86_64``) does not count: it asks for this machine's C library.
        """
        lines = (installed.read_text("WHEEL") or "").splitlines()
        noted = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
        return any(tag in self.tags for each in noted for tag in parse_tag(each))

    def fetch(self, installed: Distribution) -> Iterator[tuple[str, bytes]]:
        """The files of the same version's wheel for Amazon Linux, by pip from the package index it is configured for.

        BuildError when there is none, or no network.
        """
        what = f"{installed.name}=={installed.version}"
        with tempfile.TemporaryDirectory(prefix="visitor-board-wheel-") as folder:
            done = subprocess.run([*self.pip_download(folder), what], capture_output=True, text=True, check=False)
            wheels = list(Path(folder).glob("*.whl"))
            if done.returncode or not wheels:
                last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
                raise BuildError(
                    f"{what} is compiled for this machine, and its wheel for Amazon Linux 2023 ({self.architecture}) "
                    f"could not be fetched: {last}. Go online, or build from Linux on {self.architecture}"
                )
            with zipfile.ZipFile(io.BytesIO(wheels[0].read_bytes())) as wheel:
                for name in sorted(wheel.namelist()):
                    if not name.endswith("/"):
                        yield name, wheel.read(name)

    def pip_download(self, folder: str) -> list[str]:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python[0]}.{self.python[1]}"]
        command += [f"--platform={each}" for each in self.platforms]
        return [*command, f"--dest={folder}"]
