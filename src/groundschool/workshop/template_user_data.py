"""Writes the install script into the CloudFormation templates as their user data: one script, not a second by hand.

``python -m groundschool.workshop.template_user_data infra/session-*.yaml`` (``make infra``) replaces the text under
the ``Fn::Sub`` of the ``UserData``. What ``install_script`` fills in for the world at hand, CloudFormation fills in
from parameters and imports: ``@RELEASE@`` becomes ``${Release}``, and what is the shell's own becomes ``${!...}``.
"""

from __future__ import annotations

import re
import shlex
import sys
from importlib.resources import files
from pathlib import Path

from groundschool.errors import BuildError
from groundschool.workshop.release import PREFIX
from groundschool.workshop.settings import WorkshopSettings

SCRIPT = re.compile(r"^(?P<head>(?P<indent> *)Fn::Sub:\n *- \|\n)(?P<script>(?:(?P=indent) {4}.*\n|\n)+)", re.MULTILINE)
"""The literal block of a substitution with variables, as long as it is indented deeper than its dash."""

SIGNALS = re.compile(r"^  (?P<resource>\w+):\n(?:    .*\n|\n)*?    CreationPolicy:\n", re.MULTILINE)
"""The resource that waits for the script's signal. Each template has one."""

PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


def substitutions(waiting: str) -> dict[str, str]:
    """Placeholder -> what CloudFormation puts there. ``waiting`` is the logical id of the resource to signal."""
    chosen = WorkshopSettings()
    return {
        "RELEASE_URL": f"s3://${{ReleaseBucket}}/{PREFIX}${{Release}}.tar.gz",
        "RELEASE": "${Release}",
        "PYTHON": "${Python}",
        "APP_MODULE": chosen.app_module,
        "TABLE_NAME": "${TableName}",
        "AWS_REGION": "${AWS::Region}",
        "PORT": "${AppPort}",
        "HEALTH_PATH": chosen.health_path,
        "STACK": "${AWS::StackName}",
        "RESOURCE": waiting,
    }


def substitution(script: str, waiting: str) -> str:
    """Pure. The script as ``Fn::Sub`` wants it; BuildError for a placeholder that no parameter is known for."""
    values = substitutions(waiting)

    def filled(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise BuildError(f"install.sh has the placeholder {found[0]}. Say in {__name__} what a template puts there")
        return shlex.quote(values[found[1]])

    return PLACEHOLDER.sub(filled, script.replace("${", "${!"))


def with_script(template: str, script: str) -> str:
    """Pure. The template with its user data written anew; BuildError when it has no place for it."""
    place, waiting = SCRIPT.search(template), SIGNALS.search(template)
    if place is None or waiting is None:
        raise BuildError("The template has no user data with Fn::Sub and variables, or nothing with a CreationPolicy")
    indent = " " * (len(place["indent"]) + 4)
    lines = substitution(script, waiting["resource"]).splitlines()
    block = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
    return template[: place.start("script")] + block + template[place.end("script") :]


def main(paths: list[str]) -> None:
    script = files("groundschool.workshop").joinpath("install.sh").read_text(encoding="utf-8")
    for path in map(Path, paths):
        path.write_text(with_script(path.read_text(encoding="utf-8"), script), encoding="utf-8")
        print(f"✓ {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
