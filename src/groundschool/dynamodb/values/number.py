"""Numbers: 38 significant digits, exactly.

AWS: developer guide, naming rules and data types, "Number": up to 38 digits of precision, magnitudes from 1E-130 to
9.9999999999999999999999999999999999999E+125, leading and trailing zeros trimmed.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation, Overflow
from functools import lru_cache

from groundschool.dynamodb.api_error import validation

_PLAIN = re.compile(r"-?[1-9][0-9]{0,37}|0")
_NUMERIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MAX_DIGITS = 38
_MAX_EXPONENT = 125
_MIN_EXPONENT = -130
# Wide enough that a sum of two storable numbers (256 digits apart at most) is exact before it is checked.
_EXACT = Context(prec=600, Emax=999_999_999_999, Emin=-999_999_999_999, traps=[InvalidOperation, Overflow])


def canonical(text: str) -> str:
    """The one spelling of a number: no exponent, no superfluous zero. Raises ValidationException in AWS's words."""
    if _PLAIN.fullmatch(text):
        return text
    if not _NUMERIC.fullmatch(text):
        suffix = f": {text}" if text else ""
        raise validation(f"The parameter cannot be converted to a numeric value{suffix}")
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    # An exponent of more than nine digits is far outside the range, whatever the mantissa.
    power = int(exponent or 0) if len(exponent) < 10 else (-(10**9) if exponent[0] == "-" else 10**9)
    return _spell(sign, digits.rstrip("0"), len(digits) - len(fraction) + power)


def _spell(sign: str, digits: str, point: int) -> str:
    """``digits`` without outer zeros; the decimal point stands after the first ``point`` of them."""
    if point - 1 > _MAX_EXPONENT:
        raise validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if point - 1 < _MIN_EXPONENT:
        raise validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len(digits) > _MAX_DIGITS:
        raise validation("Attempting to store more than 38 significant digits in a Number")
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def add(left: str, right: str) -> str:
    """The exact sum of two canonical numbers, canonical; a result that cannot be stored raises."""
    return canonical(str(_EXACT.add(Decimal(left), Decimal(right))))


def subtract(left: str, right: str) -> str:
    """The exact difference of two canonical numbers, canonical; a result that cannot be stored raises."""
    return canonical(str(_EXACT.subtract(Decimal(left), Decimal(right))))


def size(number: str) -> int:
    """Bytes a canonical number counts for: one per two significant digits, plus one, plus one for a minus sign.

    AWS: developer guide, "DynamoDB item sizes and formats" (there called approximate).
    """
    digits = number.replace(".", "").lstrip("-0").rstrip("0")
    return (len(digits) + 1) // 2 + 1 + (number[0] == "-")


@lru_cache(maxsize=8192)
def to_key(number: str) -> bytes:
    """Bytes that sort as the canonical numbers do: sign, exponent, then two digits to a byte.

    Negative numbers are the complement, closed by a byte above all digits so that the longer one sorts first.
    """
    negative = number[0] == "-"
    whole, _, fraction = number.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return b"\x01"
    leading_zeros = len(whole + fraction) - len(digits)
    exponent = len(whole) - leading_zeros - 1 - _MIN_EXPONENT
    digits = digits.rstrip("0")
    if len(digits) % 2:
        digits += "0"
    pairs = [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]
    if negative:
        return bytes([0, 255 - exponent, *(100 - pair for pair in pairs), 101])
    return bytes([2, exponent, *(pair + 1 for pair in pairs)])
