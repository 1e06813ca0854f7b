"""``ground release``: the app as files, for those who build by hand."""

from __future__ import annotations

from pathlib import Path

import click

from groundschool.cli.world import enter, on_option
from groundschool.workshop.install_script import current_release, render


@click.command("release")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@on_option
def command(folder: Path, on: str) -> None:
    """Write the Visitor Board's release and its install script into FOLDER, as ground build would upload them.

    The archive is named by its content; install.sh carries the names of this world's bucket, table and region.
    """
    world = enter(on)
    release = current_release(world)
    text = render(world, release)
    folder.mkdir(parents=True, exist_ok=True)
    archive, script = folder / f"{release.digest}.tar.gz", folder / "install.sh"
    archive.write_bytes(release.archive())
    script.write_text(text, encoding="utf-8")
    click.echo(f"✓ {archive}: release {release.digest}")
    click.echo(f"✓ {script}: makes a machine serve it")
