"""The one exception that becomes an AWS error on the wire."""

from __future__ import annotations


class AwsError(Exception):
    """An error an AWS client understands; the front door serialises it in the service's own protocol.

    ``code`` is AWS's error code (``InvalidInstanceID.NotFound``), ``message`` AWS's words where they are known,
    ``status`` the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
