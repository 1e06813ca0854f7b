"""The release: the Visitor Board and everything it needs, as one archive.

It is taken from the packages installed beside this program, so that it needs neither network nor pip, here or on the
instance, and what was tested here is what runs there. Compiled extension modules come as they are where the instance
can load them; where it cannot (a release made on a Mac for Amazon Linux), the same version's wheel for Amazon Linux is
fetched instead.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from groundschool.errors import BuildError
from groundschool.workshop.amazon_linux import AmazonLinux

PREFIX = "releases/"
"""Every release's key starts so: the role may read these keys of the bucket and no others."""

DYNAMODB_MODELS = frozenset(
    {"dynamodb", "sts", "endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"}
)
"""Of botocore's service models: the board's one service, the one that names its identity, and what a session reads."""

KEPT = {"botocore/data": DYNAMODB_MODELS, "boto3/data": frozenset({"dynamodb"})}
"""Folders of which only these entries are shipped."""

UNSHIPPED_SUFFIXES = frozenset({".pyc", ".pyi", ".c", ".h", ".pth"})
SHIPPED_METADATA = frozenset({"METADATA", "entry_points.txt"})


@dataclass(frozen=True)
class Release:
    """The files by their path in the archive (sorted), and the Python they are compiled for (``python3.11``)."""

    files: tuple[tuple[str, bytes], ...]
    python: str

    @property
    def digest(self) -> str:
        """Of the content, not of the archive: the same sources have the same digest whatever zlib packed them."""
        total = hashlib.sha256(self.python.encode())
        for name, content in self.files:
            total.update(f"\0{name}\0{hashlib.sha256(content).hexdigest()}".encode())
        return total.hexdigest()[:16]

    @property
    def key(self) -> str:
        """Its S3 key: named by content, so that a running instance's release is never overwritten."""
        return f"{PREFIX}{self.digest}.tar.gz"

    def archive(self) -> bytes:
        """A tar.gz with bytecode, byte for byte the same each time: sorted, no times, no owner.

        The bytecode is there because an instance boots on a fraction of a CPU and could not keep what it compiles (the
        app's user may not write there). It is never compared with the sources, whose times the archive does not have.
        """
        with tempfile.TemporaryDirectory(prefix="visitor-board-release-") as folder:
            root = Path(folder)
            for name, content in self.files:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
            compile_all(root)
            return packed(root)


@lru_cache(maxsize=4)
def make_release(app: str, target: AmazonLinux | None = None) -> Release:
    """The release of the installed distribution ``app`` for ``target``, or for this machine.

    BuildError when it or something it requires is missing here, or cannot be had for the target.
    """
    if target is not None:
        target.require_python()
    files: dict[str, bytes] = {}
    for each in closure(app, target.markers if target else None):
        if target is None or target.runs(each):
            for name, path in shipped(each):
                files[name] = path.read_bytes()
        else:
            files |= {name: content for name, content in target.fetch(each) if is_shipped(PurePosixPath(name))}
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Release(tuple(sorted(files.items())), python)


def closure(app: str, markers: Mapping[str, str] | None = None) -> list[Distribution]:
    """``app`` and all it requires, by name; extras only where something asks for them.

    ``markers`` says which machine it is for, where that is not this one.
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(app, "", app)]
    while waiting:
        name, extra, asked_by = waiting.pop()
        key = canonicalize_name(name)
        if (key, extra) in seen:
            continue
        seen.add((key, extra))
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            raise BuildError(
                f"The release needs the package {name} (for {asked_by}), which is not installed in {sys.prefix}. "
                f"Install it: make install"
            ) from None
        for text in found[key].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({**(markers or {}), "extra": extra}):
                waiting += [(requirement.name, each, name) for each in ("", *sorted(requirement.extras))]
    return [found[key] for key in sorted(found)]


def shipped(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The files of one distribution that belong into a release: path in the archive, path here."""
    for file in installed.files or []:
        path = Path(str(installed.locate_file(file)))
        if file.suffix == ".pth":
            yield from editable(path)
        elif is_shipped(PurePosixPath(file.as_posix())):
            yield file.as_posix(), path


def editable(path_file: Path) -> Iterator[tuple[str, Path]]:
    """An editable installation is a ``.pth`` file that names a source folder: the packages in it are shipped."""
    for line in path_file.read_text().splitlines():
        source = Path(line)
        for package in sorted(source.glob("*/__init__.py")) if source.is_dir() else []:
            for path in sorted(package.parent.rglob("*")):
                name = PurePosixPath(path.relative_to(source).as_posix())
                if path.is_file() and is_shipped(name):
                    yield str(name), path


def is_shipped(name: PurePosixPath) -> bool:
    """Pure: whether a file with this path under site-packages is needed to run."""
    if ".." in name.parts or "__pycache__" in name.parts or name.suffix in UNSHIPPED_SUFFIXES:
        return False
    if name.parts[0].endswith(".dist-info"):
        return name.name in SHIPPED_METADATA or "licenses" in name.parts or name.name.startswith("LICENSE")
    kept = KEPT.get("/".join(name.parts[:2]))
    return kept is None or (len(name.parts) > 2 and name.parts[2] in kept)


def compile_all(root: Path) -> None:
    """Bytecode beside every source, in a process of its own so that nothing of this one's state gets into it."""
    command = [sys.executable, "-S", "-m", "compileall", "-q", "-d", "/opt/visitor-board"]
    done = subprocess.run(
        [*command, "--invalidation-mode", "unchecked-hash", str(root)],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildError(f"The release does not compile: {(done.stdout + done.stderr).strip()}")


def packed(root: Path) -> bytes:
    archive = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return archive.getvalue()
