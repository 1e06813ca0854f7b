from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitor_board.message import MAX_BYTES, MAX_CHARACTERS, InvalidText, Message, checked, first_id, is_id, new_id


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        pytest.param("hello", "hello", id="a word"),
        pytest.param("  hello \n", "hello", id="trimmed"),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line ends become line feeds"),
        pytest.param("a\tb", "a\tb", id="a tab is kept"),
        pytest.param("👩‍🚀 ñ ع", "👩‍🚀 ñ ع", id="joined emoji and other scripts"),
        pytest.param("x" * MAX_CHARACTERS, "x" * MAX_CHARACTERS, id="the longest"),
        pytest.param("é" * (MAX_BYTES // 4), "é" * (MAX_BYTES // 4), id="many bytes"),
    ],
)
def test_a_good_text_is_stored_trimmed(text: str, stored: str) -> None:
    assert checked(text) == stored


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "empty", id="nothing"),
        pytest.param(" \t\r\n\u3000", "empty", id="whitespace"),
        pytest.param("\u200b\u200d\ufeff", "empty", id="zero width"),
        pytest.param("\u0301", "empty", id="an accent on nothing"),
        pytest.param("x" * (MAX_CHARACTERS + 1), "501 characters", id="a character too long"),
        pytest.param("👍" * (MAX_BYTES // 4 + 1), "bytes", id="a byte too long"),
        pytest.param("a\x00b", "U+0000", id="NUL"),
        pytest.param("a\x1b[31mb", "U+001B", id="an escape sequence"),
        pytest.param("a\x85b", "U+0085", id="a C1 control"),
        pytest.param("\u202egpj.exe", "U+202E", id="text that runs backwards"),
        pytest.param("a\ud800b", "surrogate", id="half a character"),
    ],
)
def test_a_bad_text_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(InvalidText, match=says.replace("+", r"\+")):
        checked(text)


@given(st.text())
def test_what_is_taken_is_within_the_limits_and_taken_again_unchanged(text: str) -> None:
    try:
        stored = checked(text)
    except InvalidText:
        return
    assert 1 <= len(stored) <= MAX_CHARACTERS
    assert len(stored.encode()) <= MAX_BYTES
    assert checked(stored) == stored


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_ids_sort_by_time(one: float, other: float) -> None:
    if int(one * 1000) < int(other * 1000):
        assert new_id(one) < first_id(other) < new_id(other)


def test_an_id_is_a_uuid_version_7_that_tells_its_time() -> None:
    when = datetime(2026, 11, 22, 18, 4, 11, 123000, UTC)
    one = new_id(when.timestamp())
    assert is_id(one)
    assert (uuid.UUID(one).version, uuid.UUID(one).variant) == (7, uuid.RFC_4122)
    assert Message(one, "", "").posted_at == when


def test_ids_of_the_same_millisecond_differ() -> None:
    assert len({new_id(1.0) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["", "x", "0" * 32, "g" * 32, "0190000000007ABC8000000000000000", new_id(1.0) + "0", new_id(1.0) + "\n"]
)
def test_what_is_no_id_is_known(text: str) -> None:
    assert not is_id(text)


def test_a_json_text_is_counted_as_sent_and_a_form_text_as_stored() -> None:
    text = "\r" + "x" * MAX_CHARACTERS
    assert len(checked(text)) == MAX_CHARACTERS
    with pytest.raises(InvalidText, match="501 characters"):
        checked(text, as_sent=True)
