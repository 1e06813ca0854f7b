"""One request to the metadata service. AWS: EC2 user guide, instance metadata service version 2."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from groundschool.cloud.metadata.identity import InstanceIdentity, RoleCredentials
from groundschool.cloud.metadata.session_token import SessionTokens
from groundschool.cloud.metadata.tree import look_up, metadata_tree
from groundschool.endpoint import names_this_machine

TOKEN_PATH = "/latest/api/token"  # noqa: S105 - a path
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"

_IAM_PATH = "/latest/meta-data/iam"
_SECONDS_FOR_A_REQUEST = 1.0
"""A silent client holds one of the service's workers for no longer."""

_LOG = logging.getLogger(__name__)


class MetadataRequest(BaseHTTPRequestHandler):
    """Reads one request from a connection and answers it; made and done in one call."""

    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = _SECONDS_FOR_A_REQUEST

    def __init__(
        self,
        connection: socket.socket,
        tokens: SessionTokens,
        identity: Callable[[], InstanceIdentity | None],
        credentials: Callable[[], RoleCredentials | None],
    ) -> None:
        self._tokens = tokens
        self._identity = identity
        self._credentials = credentials
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]

    def parse_request(self) -> bool:
        """Refuses other names than this machine's, so that a web page cannot reach it by DNS rebinding."""
        if not super().parse_request():
            return False
        host = self.headers.get("Host")
        if host is None or names_this_machine(host):  # a client without the header is no browser
            return True
        self._answer(403)
        return False

    def do_PUT(self) -> None:
        """The token. A PUT that passed a proxy is refused, so that an open proxy cannot lend out the role."""
        identity = self._identity()
        if identity is None or urlsplit(self.path).path != TOKEN_PATH:
            self._answer(404)
        elif not identity.endpoint_enabled or "X-Forwarded-For" in self.headers:
            self._answer(403)
        else:
            ttl = self.headers.get(TTL_HEADER)
            token = self._tokens.issue(ttl)
            if token is None or ttl is None:
                self._answer(400)
            else:
                self._answer(200, token, {TTL_HEADER: ttl})

    def do_GET(self) -> None:
        identity = self._identity()
        if identity is None:
            self._answer(404)
        elif not identity.endpoint_enabled:
            self._answer(403)
        elif not self._admitted(identity):
            self._answer(401)
        else:
            self._get(identity)

    def _get(self, identity: InstanceIdentity) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.rstrip("/") == TOKEN_PATH:
            self._answer(405, headers={"Allow": "OPTIONS, PUT"})
            return
        try:
            credentials = self._credentials() if path.startswith(_IAM_PATH) else None
        except Exception:
            _LOG.exception("no credentials for %s", identity.instance_id)
            self._answer(500)
            return
        found = look_up(metadata_tree(identity, credentials), path)
        self._answer(404) if found is None else self._answer(200, found)

    def _admitted(self, identity: InstanceIdentity) -> bool:
        token = self.headers.get(TOKEN_HEADER)
        return not identity.tokens_required if token is None else self._tokens.valid(token)

    def _answer(self, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
        """Silent: an access log per metadata request helps nobody."""
