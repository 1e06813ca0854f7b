"""``ground shell``: a shell inside an instance, where AWS would have Session Manager."""

from __future__ import annotations

import os
import subprocess

import click
import urllib3

from groundschool.cli.status import read_status
from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import running_lab
from groundschool.errors import LabError, UsageError


@click.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("instance")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(instance: str, words: tuple[str, ...]) -> None:
    """Open a shell inside INSTANCE (an id, or a Name tag), or run WORDS there: ground shell i-0abc -- ls

    It starts in the instance's root folder with the instance's environment and counts against its CPU quota.
    """
    record = running_lab(lab_settings().home)
    instance_id = find_instance(read_status(record)["instances"], instance)
    answer = urllib3.request(
        "POST",
        f"{record.url}/_ground/shell/{instance_id}",
        headers={"Authorization": f"Bearer {record.secret_access_key}"},
        json={"pid": os.getpid()},
        retries=False,
        timeout=10,
    )
    document = answer.json()
    if answer.status != 200:
        raise LabError(document["message"])
    environment = {**document["environment"], "TERM": os.environ.get("TERM", "dumb")}
    environment["PS1"] = f"[{instance_id}]$ "
    shell = ["/bin/bash", "--noprofile", "--norc"]
    done = subprocess.run(list(words) or shell, env=environment, cwd=document["folder"], check=False)
    raise SystemExit(done.returncode)


def find_instance(instances: list[dict[str, str]], wanted: str) -> str:
    """The id of the one running instance with that id or Name tag. Raises UsageError."""
    running = [each for each in instances if each["state"] == "running"]
    found = [each["id"] for each in running if wanted in (each["id"], each["name"])]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each["id"] for each in running) or "none"
    why = f"{wanted} names {len(found)} instances" if found else f"No running instance is called {wanted}"
    raise UsageError(f"{why}. Running: {known}")
