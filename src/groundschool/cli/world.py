"""Points a verb at the world it works on."""

from __future__ import annotations

import os

from groundschool.cloud.settings import lab_settings
from groundschool.cloud.supervisor.lab_record import LabRecord, running_lab


def enter() -> LabRecord:
    """Sets this process's AWS variables to the running lab. Raises LabNotRunning.

    A profile of the user's own would win over the lab's credentials, so it is taken out of this process.
    """
    record = running_lab(lab_settings().home)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(record.environment())
    return record
