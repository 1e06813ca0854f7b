"""``ground release``: the app as files, for those who build by hand."""

from __future__ import annotations

from pathlib import Path

import click

from groundschool.cli.world import enter
from groundschool.workshop.install_script import current_release, render
from groundschool.workshop.world import World


@click.command("release")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Write the Visitor Board's release and its install script into FOLDER, as ground build would upload them.

    The archive is named by its content; install.sh carries the names of this world's bucket, table and region.
    """
    enter()
    world = World.from_environment()
    release = current_release(world)
    folder.mkdir(parents=True, exist_ok=True)
    archive, script = folder / f"{release.digest}.tar.gz", folder / "install.sh"
    archive.write_bytes(release.archive())
    script.write_text(render(world, release), encoding="utf-8")
    click.echo(f"✓ {archive}: release {release.digest}")
    click.echo(f"✓ {script}: makes a machine serve it")
