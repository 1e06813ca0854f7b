from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundschool.dynamodb.api_error import ApiError
from groundschool.dynamodb.values import number

digits = st.integers(1, 10**38 - 1)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A storable number, spelled anyhow."""
    mantissa = draw(digits)
    exponent = draw(st.integers(-130, 125 - len(str(mantissa)) + 1))
    return f"{draw(st.sampled_from(['', '-', '+']))}{mantissa}E{exponent}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1", "1"),
        ("1.50", "1.5"),
        ("007", "7"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1E3", "1000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+3", "3"),
        ("-1e-3", "-0.001"),
        ("9" * 38, "9" * 38),
        ("1" + "0" * 50, "1" + "0" * 50),
    ],
)
def test_a_number_has_one_spelling(given: str, kept: str) -> None:
    assert number.canonical(given) == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "The parameter cannot be converted to a numeric value"),
        ("abc", "The parameter cannot be converted to a numeric value: abc"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("1_000", "The parameter cannot be converted to a numeric value: 1_000"),
        ("1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1E99999999999", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("-1E-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
    ],
)
def test_what_is_not_a_storable_number_is_refused_in_aws_words(given: str, words: str) -> None:
    with pytest.raises(ApiError) as refusal:
        number.canonical(given)
    assert refusal.value.message == words


@given(numbers())
def test_a_canonical_number_keeps_its_value_and_its_spelling(text: str) -> None:
    kept = number.canonical(text)
    assert Decimal(kept) == Decimal(text)
    assert number.canonical(kept) == kept


@given(numbers(), numbers())
def test_key_bytes_sort_as_the_numbers_do(left: str, right: str) -> None:
    mine, other = number.canonical(left), number.canonical(right)
    by_value = (Decimal(mine) > Decimal(other)) - (Decimal(mine) < Decimal(other))
    by_bytes = (number.to_key(mine) > number.to_key(other)) - (number.to_key(mine) < number.to_key(other))
    assert by_value == by_bytes


def test_sums_are_exact_to_38_digits() -> None:
    assert number.add("0.1", "0.2") == "0.3"
    assert number.add("9" * 38, "1") == "1" + "0" * 38
    assert number.subtract("1", "1") == "0"
    with pytest.raises(ApiError, match="38 significant digits"):
        number.add("1" + "0" * 37, "0.1")


@pytest.mark.parametrize(("text", "size"), [("0", 1), ("7", 2), ("12", 2), ("123", 3), ("-5", 3), ("1000", 2)])
def test_a_number_takes_a_byte_for_two_digits_and_one_more(text: str, size: int) -> None:
    assert number.size(text) == size
