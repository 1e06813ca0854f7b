"""Every error a user can meet.

    GroundError
    ├── UsageError        what was asked for makes no sense; nothing was done
    ├── LabError          the laptop cloud cannot start, or cannot go on
    │   ├── LabNotRunning
    │   └── LabHeld       another supervisor owns the state folder
    ├── AccountError      no AWS account answers these credentials in that region; nothing was done
    ├── BuildError        a component of the workshop could not be planned, created, checked or removed
    │   └── NotOwned      it is there, but it was not made here, so it is not removed here
    ├── Interrupted       Ctrl-C in the middle of something; what exists was listed before
    ├── LoadError         traffic could not be sent, or not to that address
    └── PriceError        AWS's price list did not give exactly the price that was asked for

A message says what happened, where, and what to do next. The command line prints it as one line and exits with
``exit_code``; a traceback is shown only for errors that are not in this tree, because those are our defects.
"""


class GroundError(Exception):
    """The root: ``str(error)`` is one line, ready to be shown to a user."""

    exit_code = 1


class UsageError(GroundError):
    """The command line or a setting is wrong. Nothing was changed."""

    exit_code = 2


class LabError(GroundError):
    """The laptop cloud could not do its part."""


class LabNotRunning(LabError):
    """A verb needs a running lab and found none in the state folder."""


class LabHeld(LabError):
    """Another supervisor holds the lab; the message names its pid."""


class BuildError(GroundError):
    """A workshop component failed; the message names the component and the AWS error."""


class NotOwned(BuildError):
    """A resource has our name and not our tag, or belongs to a CloudFormation stack; the message says which."""


class AccountError(GroundError):
    """Credentials are missing, expired or refused, or the region is none. Nothing was changed."""


class Interrupted(GroundError):
    """The user ended it half-way; the message says where."""

    exit_code = 130


class LoadError(GroundError):
    """Load could not be started; the message names the address and the reason."""


class PriceError(GroundError):
    """A price could not be read from AWS's price list; the message names the filter. Nothing was written."""
