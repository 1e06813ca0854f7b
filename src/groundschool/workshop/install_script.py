"""The script that makes a machine serve the board, with this world's names filled in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib.resources import files

from groundschool.errors import BuildError
from groundschool.workshop.amazon_linux import AmazonLinux
from groundschool.workshop.release import Release, make_release
from groundschool.workshop.world import World

USER_DATA_LIMIT = 16 * 1024
"""Bytes, before base64. AWS: EC2 user guide, run commands when you launch an EC2 instance."""


def current_release(world: World) -> Release:
    """The release of the installed app, for what this world's instances run on."""
    here = world.is_on_this_machine
    return make_release(world.settings.app_distribution, None if here else AmazonLinux(world.settings.architecture))


def install_script(world: World) -> str:
    """``install.sh`` for this world's current release; used as user data and through Session Manager alike."""
    return render(world, current_release(world))


def render(world: World, release: Release) -> str:
    """Every value is quoted for the shell. BuildError past 16 KB."""
    chosen = world.settings
    return fill(
        {
            "RELEASE_URL": f"s3://{world.release_bucket}/{release.key}",
            "RELEASE": release.digest,
            "PYTHON": release.python,
            "APP_MODULE": chosen.app_module,
            "TABLE_NAME": chosen.table_name,
            "AWS_REGION": world.region,
            "PORT": str(chosen.app_port),
            "HEALTH_PATH": chosen.health_path,
            "STACK": "",
            "RESOURCE": "",
        }
    )


def fill(values: Mapping[str, str]) -> str:
    """``install.sh`` with each ``@NAME@`` replaced by its value, quoted for the shell; BuildError past 16 KB.

    ``STACK`` and ``RESOURCE`` are CloudFormation's: when given, the script tells them its exit code by ``cfn-signal``.
    """
    script = files("groundschool.workshop").joinpath("install.sh").read_text()
    for name, value in values.items():
        script = script.replace(f"@{name}@", shlex.quote(value))
    size = len(script.encode())
    if size > USER_DATA_LIMIT:
        raise BuildError(f"The user data script has {size} bytes, and EC2 takes {USER_DATA_LIMIT}. Shorten install.sh")
    return script
