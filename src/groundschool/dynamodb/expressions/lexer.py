"""Expression text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from groundschool.dynamodb.api_error import ApiError, validation

MAX_EXPRESSION_BYTES = 4096
"""AWS: service quotas, "Expression parameters": 4 KB for any expression string."""


class TokenKind(StrEnum):
    """What a token is; punctuation carries itself in ``Token.text``."""

    WORD = "word"
    NAME_PLACEHOLDER = "#name"
    VALUE_PLACEHOLDER = ":value"
    NUMBER = "number"
    PUNCTUATION = "punctuation"
    UNKNOWN = "unknown"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands in the text."""

    kind: TokenKind
    text: str
    start: int
    end: int


_TOKENS = re.compile(
    r"(?P<WORD>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<NAME_PLACEHOLDER>\#[A-Za-z0-9_]+)"
    r"|(?P<VALUE_PLACEHOLDER>:[A-Za-z0-9_]+)"
    r"|(?P<NUMBER>[0-9]+)"
    r"|(?P<PUNCTUATION><=|>=|<>|[=<>(),.\[\]+\-])"
    r"|(?P<SPACE>[ \t\r\n]+)"
    r"|(?P<UNKNOWN>[\s\S])"
)


class TokenStream:
    """The tokens of one expression, read from left to right; ``kind`` names the parameter in errors."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self._text = text
        if not text:
            raise self.error("The expression can not be empty;")
        size = len(text.encode())
        if size > MAX_EXPRESSION_BYTES:
            raise self.error(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        self._tokens = [
            Token(TokenKind[match.lastgroup or "UNKNOWN"], match.group(), match.start(), match.end())
            for match in _TOKENS.finditer(text)
            if match.lastgroup != "SPACE"
        ]
        self._tokens.append(Token(TokenKind.END, "<EOF>", len(text), len(text)))
        self.position = 0

    @property
    def current(self) -> Token:
        return self._tokens[self.position]

    def advance(self) -> Token:
        """The current token; the next one becomes current."""
        token = self._tokens[self.position]
        if token.kind is not TokenKind.END:
            self.position += 1
        return token

    def at(self, text: str) -> bool:
        """Whether the current token is this punctuation."""
        token = self._tokens[self.position]
        return token.text == text and token.kind is TokenKind.PUNCTUATION

    def at_keyword(self, *keywords: str) -> str | None:
        """The keyword the current token is, in capitals; keywords are case-insensitive."""
        token = self._tokens[self.position]
        word = token.text.upper()
        return word if token.kind is TokenKind.WORD and word in keywords else None

    def calls_function(self) -> bool:
        """Whether a word with an opening parenthesis stands here."""
        following = self._tokens[min(self.position + 1, len(self._tokens) - 1)]
        return self.current.kind is TokenKind.WORD and following.text == "("

    def take(self, text: str) -> bool:
        """Skips this punctuation if it is current."""
        if not self.at(text):
            return False
        self.position += 1
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.syntax_error()

    def expect_end(self) -> None:
        if self.current.kind is not TokenKind.END:
            raise self.syntax_error()

    def syntax_error(self) -> ApiError:
        """At the current token, with its neighbours, as AWS shows them."""
        here = self.position
        first = self._tokens[max(here - 1, 0)]
        last = self._tokens[min(here + 1, len(self._tokens) - 1)]
        near = self._text[first.start : last.end].strip()
        return self.error(f'Syntax error; token: "{self._tokens[here].text}", near: "{near}"')

    def error(self, message: str) -> ApiError:
        return validation(f"Invalid {self.kind}: {message}")
