"""The temporary credentials of instance roles: minted here, served by the metadata service, known to the authoriser."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

SESSION_SECONDS = 6 * 3600.0
"""How long the credentials of an instance role live, in real seconds (AWS: about six hours)."""

RENEW_BEFORE_SECONDS = 900.0
"""A new set is served this long before expiry; AWS promises at least 5 minutes (EC2 user guide, IAM roles)."""


@dataclass(frozen=True)
class RoleSession:
    """One set of credentials of one instance's role. Times are Unix seconds: SDKs compare them with their own clock."""

    instance_id: str
    role_name: str
    access_key_id: str
    secret_access_key: str
    token: str
    issued_at: float
    expires_at: float


class RoleSessions:
    """All live sessions, by instance and by access key. Called under the lab's lock."""

    def __init__(self) -> None:
        self._by_instance: dict[str, RoleSession] = {}
        self._by_access_key: dict[str, RoleSession] = {}

    def of_instance(self, instance_id: str, role_name: str, now: float) -> RoleSession:
        """The current session, renewed when it is about to expire or the role has changed."""
        session = self._by_instance.get(instance_id)
        if session is None or session.role_name != role_name or session.expires_at - now < RENEW_BEFORE_SECONDS:
            session = RoleSession(
                instance_id=instance_id,
                role_name=role_name,
                access_key_id=access_key_id("ASIA"),
                secret_access_key=secrets.token_urlsafe(30),
                token=secrets.token_urlsafe(96),
                issued_at=now,
                expires_at=now + SESSION_SECONDS,
            )
            self._by_instance[instance_id] = session
            self._by_access_key[session.access_key_id] = session
        return session

    def of_access_key(self, access_key: str) -> RoleSession | None:
        return self._by_access_key.get(access_key)

    def live(self) -> list[RoleSession]:
        return list(self._by_access_key.values())

    def forget(self, instance_id: str) -> None:
        """Ends the sessions of a terminated instance."""
        self._by_instance.pop(instance_id, None)
        for key in [key for key, session in self._by_access_key.items() if session.instance_id == instance_id]:
            del self._by_access_key[key]


def access_key_id(prefix: str) -> str:
    """A random key id of AWS's form; ``AKIA`` for long-term keys, ``ASIA`` for sessions."""
    return prefix + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
