"""An AMI of the lab: a copy of an instance's folder that boots elsewhere.

On AWS every instance has its own ``/``. In the lab an instance's root is a folder, and its path gets written into
files (a venv's scripts, unit files). So an image remembers the root it was taken from and which text files name it;
those are rewritten when a new instance starts, as conda does with its prefix.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from groundschool.errors import LabError

_NOT_BAKED_IN = ("run", "tmp", "var/log", "var/lib/cloud", "var/lib/amazon")
"""What belongs to one boot of one instance."""

_LARGEST_TEXT_BYTES = 1_048_576

IMAGE_LIMIT_BYTES = 2 * 1024**3
"""Every instance of an image is a copy of it, on the same laptop's disk."""


def snapshot(root: Path, image: Path) -> None:
    """Copies an instance's root into a new image folder. The instance may run; files it is writing are copied as is.

    Raises LabError, before anything is copied, when it is too large for an image or for the disk.
    """
    _require_room(root, image)
    excluded = {root / name for name in _NOT_BAKED_IN}

    def unwanted(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in excluded or not _copyable(Path(folder, name))]

    image.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(root, image / "root", symlinks=True, ignore=unwanted, dirs_exist_ok=True)
    except shutil.Error as error:
        # A running instance removes files while they are copied; what is still there was a real failure.
        failed = [f"{source}: {why}" for source, _, why in error.args[0] if Path(source).exists()]
        if failed:
            raise LabError(f"The image of {root} is incomplete: {failed[0]}. Create it again.") from None
    found = [str(path.relative_to(image / "root")) for path in _files_naming(str(root), image / "root")]
    (image / "image.json").write_text(json.dumps({"root": str(root), "files_naming_root": found}))


def unpack(image: Path, root: Path) -> None:
    """Makes ``root`` a fresh instance folder from an image. Raises LabError when the image cannot be read."""
    try:
        description = json.loads((image / "image.json").read_text())
    except (OSError, ValueError) as error:
        raise LabError(f"The image {image} cannot be read: {error}. Create it again with create-image.") from None
    root.mkdir(parents=True, exist_ok=True)
    # cp, not Python: thousands of small files would hold the interpreter's lock while the lab serves requests.
    done = subprocess.run(
        ["/bin/cp", "-R", "-P", "-p", f"{image / 'root'}/.", str(root)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"The image {image} cannot be unpacked to {root}: {done.stderr.strip()}")
    for name in description["files_naming_root"]:
        _rewrite(root / name, description["root"], str(root))


def _require_room(root: Path, image: Path) -> None:
    excluded = {str(root / name) for name in _NOT_BAKED_IN}
    size = 0
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if f"{place}/{name}" not in excluded]
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # a running instance removes files
                size += Path(place, name).lstat().st_size
    if size > IMAGE_LIMIT_BYTES:
        raise LabError(
            f"{root} holds {size / 1e6:.0f} MB; an image of the lab has at most {IMAGE_LIMIT_BYTES / 1e6:.0f}"
        )
    image.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(image.parent).free
    if 2 * size > free:  # the image, and the first instance of it
        raise LabError(f"An image of {size / 1e6:.0f} MB does not fit: {free / 1e6:.0f} MB of the disk are free")


def _copyable(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _files_naming(text: str, folder: Path) -> Iterator[Path]:
    wanted = text.encode()
    for place, folders, files in os.walk(folder):
        for name in (*files, *folders):
            path = Path(place, name)
            if path.is_symlink():
                if str(path.readlink()).startswith(text):
                    yield path
            elif name in files and path.stat().st_size <= _LARGEST_TEXT_BYTES:
                content = path.read_bytes()
                if wanted in content and b"\0" not in content:
                    yield path


def _rewrite(path: Path, old: str, new: str) -> None:
    if path.is_symlink():
        target = str(path.readlink()).replace(old, new, 1)
        path.unlink()
        path.symlink_to(target)
    else:
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
