"""``ground doctor``: looks at the machine before the room fills."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from groundschool.cli.doctor_findings import Finding, examine, examine_aws
from groundschool.cloud.settings import lab_settings


@click.command("doctor")
@click.option("--aws", "with_aws", is_flag=True, help="Look at the AWS credentials and the clock too; asks AWS once.")
@click.option("--json", "as_json", is_flag=True, help="All findings as JSON.")
def command(with_aws: bool, as_json: bool) -> None:
    """Check this machine beforehand: programs, ports, CPU, memory, disk, clock, leftovers.

    Each finding comes with its remedy. Nothing is changed. Exits with 1 when something would stop a session.
    """
    findings = examine(lab_settings())
    if with_aws:
        findings += examine_aws()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        show(findings)
    if any(each.stops for each in findings):
        raise click.exceptions.Exit(1)


def show(findings: list[Finding]) -> None:
    for each in findings:
        mark = "✗" if each.stops else "!" if each.remedy else "✓"
        click.echo(f"{mark} {each.what}: {each.found}")
        if each.remedy:
            click.echo(f"      {each.remedy}")
    stopping = sum(each.stops for each in findings)
    if stopping:
        click.echo(f"\n{stopping} of {len(findings)} would stop a session. Mend them, then: ground doctor")
    else:
        click.echo("\nReady. Next: ground up --detach")
