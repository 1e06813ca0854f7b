"""``ground fault``: breaks something in the lab on purpose, and mends it again."""

from __future__ import annotations

from typing import Any

import click
import urllib3

from groundschool.cli.shell import find_instance
from groundschool.cli.status import fault_text, read_status
from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import LabRecord, running_lab
from groundschool.errors import LabError


@click.group("fault")
def command() -> None:
    """Break something in the lab on purpose. What is broken shows in ground status; ground fault clear mends it all."""


@command.command("kill")
@click.argument("instance")
def kill(instance: str) -> None:
    """Cut the power of INSTANCE (an id, or a Name tag): its processes end at once."""
    _break("kill", instance=instance)


@command.command("hang")
@click.argument("instance")
def hang(instance: str) -> None:
    """Stop INSTANCE's processes where they are: connections are accepted and never answered."""
    _break("hang", instance=instance)


@command.command("slow")
@click.argument("instance")
@click.argument("milliseconds", type=click.FloatRange(min=0, min_open=True))
def slow(instance: str, milliseconds: float) -> None:
    """Let every request to INSTANCE wait MILLISECONDS (of real time) first."""
    _break("slow", instance=instance, milliseconds=milliseconds)


@command.command("fail-health")
@click.argument("instance")
def fail_health(instance: str) -> None:
    """Fail the load balancers' health checks of INSTANCE with 503, while its traffic passes."""
    _break("fail-health", instance=instance)


@command.command("az-outage")
@click.argument("zone")
def az_outage(zone: str) -> None:
    """Take network and power from every instance in the availability ZONE; nothing can be launched there."""
    _break("az-outage", subject=zone)


@command.command("throttle-dynamodb")
def throttle_dynamodb() -> None:
    """Answer every read and write of items with ThrottlingException."""
    _break("throttle-dynamodb")


@command.command("clear")
def clear() -> None:
    """Mend everything; what was killed and is still there starts again."""
    ended = _ask(running_lab(lab_settings().home), "DELETE", "faults")["ended"]
    for fault in ended:
        click.echo(f"✓ Mended: {fault_text(fault)}")
    if not ended:
        click.echo("✓ Nothing was broken")


def _break(kind: str, *, instance: str | None = None, subject: str | None = None, **more: float) -> None:
    record = running_lab(lab_settings().home)
    if instance is not None:
        subject = find_instance(read_status(record)["instances"], instance)
    fault = _ask(record, "POST", f"faults/{kind}", {"subject": subject, **more})
    click.echo(f"✓ Broken: {fault_text(fault)}")
    click.echo("Next: ground watch, and ground fault clear when you have seen enough")


def _ask(record: LabRecord, method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        answer = urllib3.request(
            method,
            f"{record.url}/_ground/{path}",
            headers={"Authorization": f"Bearer {record.secret_access_key}"},
            json=document or {},
            retries=False,
            timeout=10,
        )
    except urllib3.exceptions.HTTPError as error:
        raise LabError(f"The lab at {record.url} does not answer: {error}. End it with: ground down") from None
    found: dict[str, Any] = answer.json()
    if answer.status != 200:
        raise LabError(found["message"])
    return found
