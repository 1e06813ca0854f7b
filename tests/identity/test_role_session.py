"""The temporary credentials of instance roles: who gets which, and until when."""

from __future__ import annotations

import re

import pytest

from groundschool.cloud.identity.role_session import (
    RENEW_BEFORE_SECONDS,
    SESSION_SECONDS,
    RoleSession,
    RoleSessions,
    access_key_id,
)

NOW = 1_700_000_000.0
ROLE, OTHER_ROLE = "visitor-board", "another"


@pytest.fixture
def sessions() -> RoleSessions:
    return RoleSessions()


def secrets_of(session: RoleSession) -> tuple[str, str, str]:
    return session.access_key_id, session.secret_access_key, session.token


def test_credentials_have_the_form_of_awss(sessions: RoleSessions) -> None:
    made = sessions.of_instance("i-1", ROLE, NOW)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", made.access_key_id)
    assert len(made.secret_access_key) == 40
    assert len(made.token) > 100
    assert made.expires_at - made.issued_at == SESSION_SECONDS


def test_long_term_keys_have_another_prefix() -> None:
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", access_key_id("AKIA"))


@pytest.mark.parametrize(
    ("instance_id", "role", "later", "same"),
    [
        pytest.param("i-1", ROLE, 0.0, True, id="at once"),
        pytest.param("i-1", ROLE, SESSION_SECONDS - RENEW_BEFORE_SECONDS, True, id="until they are about to expire"),
        pytest.param("i-1", ROLE, SESSION_SECONDS - RENEW_BEFORE_SECONDS + 1, False, id="renewed before they expire"),
        pytest.param("i-1", ROLE, SESSION_SECONDS * 2, False, id="long expired"),
        pytest.param("i-1", OTHER_ROLE, 0.0, False, id="of another role"),
        pytest.param("i-2", ROLE, 0.0, False, id="of another instance"),
    ],
)
def test_an_instance_keeps_its_credentials(
    sessions: RoleSessions, instance_id: str, role: str, later: float, same: bool
) -> None:
    first = sessions.of_instance("i-1", ROLE, NOW)
    second = sessions.of_instance(instance_id, role, NOW + later)
    assert (second == first) is same
    assert all((ours == theirs) is same for ours, theirs in zip(secrets_of(first), secrets_of(second), strict=True))


def test_renewal_comes_earlier_than_aws_promises() -> None:
    assert RENEW_BEFORE_SECONDS >= 300


def test_renewed_credentials_leave_the_old_ones_valid_until_they_expire(sessions: RoleSessions) -> None:
    first = sessions.of_instance("i-1", ROLE, NOW)
    second = sessions.of_instance("i-1", ROLE, first.expires_at - 1)
    assert sessions.of_access_key(first.access_key_id) == first
    assert sessions.live() == [first, second]


def test_a_terminated_instance_takes_all_its_credentials_with_it(sessions: RoleSessions) -> None:
    gone = [sessions.of_instance("i-1", ROLE, NOW), sessions.of_instance("i-1", OTHER_ROLE, NOW)]
    kept = sessions.of_instance("i-2", ROLE, NOW)
    sessions.forget("i-1")
    assert [sessions.of_access_key(each.access_key_id) for each in gone] == [None, None]
    assert sessions.live() == [kept]


def test_what_was_never_minted_is_nobodys(sessions: RoleSessions) -> None:
    assert sessions.of_access_key("ASIAAAAAAAAAAAAAAAAA") is None
    sessions.forget("i-unknown")
