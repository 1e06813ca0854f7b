"""``ground status``: everything that is alive in the lab, or that exists on AWS."""

from __future__ import annotations

import json
from typing import Any

import click
import urllib3
from rich.console import Console
from rich.table import Table

from groundschool.cli.world import AWS, enter, on_option
from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import LabRecord, running_lab
from groundschool.errors import LabError


@click.command("status")
@on_option
@click.option("--json", "as_json", is_flag=True, help="The whole state as JSON.")
def command(on: str, as_json: bool) -> None:
    """Show the lab, its instances, load balancers, groups and alarms.

    With --on aws: what exists there and carries the workshop's tag, and the reminder to end it.
    """
    if on == AWS:
        from groundschool.cli.status_on_aws import show_aws  # boto3: start-up time

        show_aws(enter(on), as_json=as_json)
        return
    document = read_status(running_lab(lab_settings().home))
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    show(Console(highlight=False, soft_wrap=True), document)


def read_status(record: LabRecord) -> dict[str, Any]:
    """Asks the running lab. Raises LabError when it does not answer."""
    try:
        answer = urllib3.request(
            "GET",
            f"{record.url}/_ground/status",
            headers={"Authorization": f"Bearer {record.secret_access_key}"},
            timeout=10,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise LabError(f"The lab at {record.url} does not answer: {error}. End it with: ground down") from None
    document: dict[str, Any] = answer.json()
    return document


def fault_text(fault: dict[str, Any]) -> str:
    """One fault in the words of ``ground fault``."""
    slow = "" if fault["milliseconds"] is None else f" {fault['milliseconds']:g} ms"
    return f"{fault['kind']} {fault['subject']}{slow}"


def show(console: Console, document: dict[str, Any]) -> None:
    lab = document["lab"]
    console.print(
        f"Lab {lab['url']}, region {lab['region']}, speed {lab['speed']:g}, "
        f"{lab['lab_seconds'] / 60:.1f} AWS minutes old, one lab vCPU = {lab['lab_vcpu_in_host_cores']:g} host cores"
    )
    console.print(lab["cpu_quota_by"])
    for each in document["faults"]:
        console.print(f"✗ Fault {fault_text(each)}, for {(lab['lab_seconds'] - each['since']) / 60:.1f} AWS minutes")
    for part, trouble in lab["troubles"].items():
        console.print(f"✗ {part}: {trouble}")
    table = Table("Instance", "Name", "State", "Type", "Zone", "Address", "CPU %", "User data")
    for each in document["instances"]:
        cpu = "" if each["cpu_percent"] is None else f"{each['cpu_percent']:.0f}"
        row = [each["id"], each["name"], each["state"], each["type"], each["availability_zone"], each["address"]]
        table.add_row(*row, cpu, each["user_data"])
    if document["instances"]:
        console.print(table)
    for each in document["load_balancers"]:
        console.print(f"Load balancer {each['name']}: {each['url']}")
    for each in document["target_groups"]:
        health = ", ".join(f"{target} {state}" for target, state in each["targets"].items()) or "no targets"
        console.print(f"Target group {each['name']}: {health}")
    for each in document["auto_scaling_groups"]:
        states = ", ".join(f"{name} {state}" for name, state in each["instances"].items()) or "no instances"
        console.print(
            f"Auto Scaling group {each['name']}: desired {each['desired']} ({each['min']}-{each['max']}): {states}"
        )
    for name, state in document["alarms"].items():
        console.print(f"Alarm {name}: {state}")
