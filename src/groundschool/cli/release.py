"""``ground release``: the app as files, for those who build by hand."""

from __future__ import annotations

from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from groundschool.cli.world import enter
from groundschool.errors import UsageError
from groundschool.workshop.install_script import current_release, render
from groundschool.workshop.world import World


@click.command("release")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--on", type=click.Choice(("lab", "aws")), default="lab", show_default=True, help="Where it is to run.")
def command(folder: Path, on: str) -> None:
    """Write the Visitor Board's release and its install script into FOLDER, as ground build would upload them.

    The archive is named by its content; install.sh carries the names of this world's bucket, table and region.
    """
    if on == "lab":
        enter()
    world = World.from_environment()
    release = current_release(world)
    try:
        text = render(world, release)
    except (BotoCoreError, ClientError) as error:  # asked for the account, whose number is in the bucket's name
        raise UsageError(f"AWS does not say whose account this is: {error}. Set credentials: aws configure") from None
    folder.mkdir(parents=True, exist_ok=True)
    archive, script = folder / f"{release.digest}.tar.gz", folder / "install.sh"
    archive.write_bytes(release.archive())
    script.write_text(text, encoding="utf-8")
    click.echo(f"✓ {archive}: release {release.digest}")
    click.echo(f"✓ {script}: makes a machine serve it")
