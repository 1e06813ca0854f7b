"""Who signs a request: access key and region, from a SigV4 Authorization header.

The signature itself is not verified: the store has no secrets to verify it with. It listens on loopback, and in the lab
the access key alone selects the role's policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from groundschool.dynamodb.api_error import ApiError

_REQUIRED = ("Credential", "Signature", "SignedHeaders")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The access key, and the region of the credential scope."""

    access_key_id: str
    region: str


def credentials_of(authorization: bytes | None, url: bytes) -> Credentials:
    """Raises MissingAuthenticationTokenException or IncompleteSignatureException as AWS does."""
    if authorization is None:
        return _presigned(url.decode("latin-1"))
    # The scope is the same for all requests of a client on a day; only the signature differs.
    start = authorization.find(b"Credential=")
    end = authorization.find(b",", start)
    if start < 0 or end < 0 or b"Signature=" not in authorization or b"SignedHeaders=" not in authorization:
        raise _incomplete(authorization.decode("latin-1"))
    return _scope(authorization[start + 11 : end].decode("latin-1").strip())


def _incomplete(authorization: str) -> ApiError:
    if not authorization.startswith("AWS4-"):
        return ApiError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    missing = [name for name in _REQUIRED if f"{name}=" not in authorization]
    reasons = "".join(f"Authorization header requires '{name}' parameter. " for name in missing)
    return ApiError("IncompleteSignatureException", f"{reasons}Authorization={authorization}")


@lru_cache(maxsize=256)
def _scope(credential: str) -> Credentials:
    parts = credential.split("/")
    if len(parts) != 5:
        raise ApiError(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential}'",
        )
    if not all(parts):
        raise ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
    return Credentials(parts[0], parts[2])


def _presigned(url: str) -> Credentials:
    query = parse_qs(urlsplit(url).query)
    if "X-Amz-Algorithm" not in query:
        raise ApiError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    return _scope(query.get("X-Amz-Credential", [""])[0])
