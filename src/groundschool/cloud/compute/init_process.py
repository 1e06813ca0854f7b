"""How a machine's init process is started; what it does then is :mod:`~groundschool.cloud.compute.guest`."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from groundschool.cloud.compute import guest
from groundschool.cloud.compute.base_image import base_interpreter
from groundschool.cloud.compute.spawner import Spawner, Start

# Isolated from the environment and without site-packages, the guest is found by its folder's place alone.
_INIT = "import sys; sys.path[:0] = [sys.argv.pop(1)]; from guest.init import main; main(sys.argv[1:])"


def start_init(
    spawner: Spawner, instance_id: str, folder: Path, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process, and our end of its control socket. It waits to be told to boot. Raises OSError."""
    place = str(Path(guest.__file__).parent.parent)
    ours, theirs = socket.socketpair()
    command = [str(base_interpreter()), "-I", "-S", "-c", _INIT, place]
    command += [instance_id, str(folder), str(theirs.fileno()), str(os.getpid())]
    start = Start(command, environment, folder, folder / "var/log/messages", (theirs.fileno(),))
    with theirs:
        try:
            return spawner.start(start), ours
        except OSError:
            ours.close()
            raise
