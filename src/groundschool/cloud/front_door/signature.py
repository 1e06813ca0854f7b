"""Signature Version 4, verified with botocore's own signer: who signed this request, and did they hold the secret?

AWS: IAM user guide, "Signature Version 4 for API requests". The chunk signatures inside an ``aws-chunked`` S3 body are
not verified; the signature of the request that carries them is.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import sha256
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.session import Session
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.identity.principal import Secret

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 300.0
"""How far a request's date may be from the lab's clock, in real seconds (AWS: five minutes)."""
S3_SKEW_SECONDS = 900.0
LONGEST_PRESIGNED_SECONDS = 604800

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_STAMP = "%Y%m%dT%H%M%SZ"
_HASH = re.compile(r"[0-9a-f]{64}")
_UNHASHED = frozenset(
    """UNSIGNED-PAYLOAD STREAMING-UNSIGNED-PAYLOAD-TRAILER STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER""".split()
)
"""What S3 takes for the hash of a body that is not hashed as a whole."""


@dataclass(frozen=True)
class Signature:
    """A request's signature as it came, not yet believed."""

    access_key_id: str
    date: str
    """Of the credential scope, ``YYYYMMDD``."""
    region: str
    signing_name: str
    headers: tuple[str, ...]
    """The names of the signed headers, in lower case."""
    value: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    presigned_at: str | None = None
    presigned_for: str = "0"
    """``X-Amz-Date`` and ``X-Amz-Expires`` of a presigned URL; the former is None when it is none."""


def signature_of(request: Request) -> Signature:
    """From the ``Authorization`` header or a presigned query.

    Raises AwsError MissingAuthenticationToken (403), IncompleteSignature (400), or InvalidRequest for an algorithm
    other than Signature Version 4.
    """
    authorization = request.headers.get("Authorization", "")
    query = request.args
    if authorization.startswith(ALGORITHM):
        parts = authorization.removeprefix(ALGORITHM).split(",")
        given = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
        token, presigned_at = request.headers.get("X-Amz-Security-Token"), None
    elif query.get("X-Amz-Algorithm") == ALGORITHM:
        given = {name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
        token, presigned_at = query.get("X-Amz-Security-Token"), query.get("X-Amz-Date", "")
    elif authorization or "X-Amz-Algorithm" in query or "AWSAccessKeyId" in query:
        raise AwsError(
            "InvalidRequest",
            f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}.",
        )
    else:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not given.get(name):
            raise AwsError("IncompleteSignature", f"Authorization header requires '{name}' parameter.")
    scope = given["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise AwsError("IncompleteSignature", "Credential must have exactly 5 slash-delimited elements")
    access_key_id, date, region, signing_name, _ = scope
    names = tuple(given["SignedHeaders"].lower().split(";"))
    expires = query.get("X-Amz-Expires", "0")
    return Signature(access_key_id, date, region, signing_name, names, given["Signature"], token, presigned_at, expires)


def verify(signature: Signature, request: Request, service: str, secret: Secret, now: datetime) -> None:
    """Raises AwsError in the service's own words unless the signature is right, fresh and made with this secret.

    ``service`` is botocore's name of the service, ``now`` the real time: clients sign with a real clock.
    """
    stamp = _stamp(signature, request)
    if stamp[:8] != signature.date:
        raise refusal(service, "Date in Credential scope does not match the date of the request")
    _check_age(signature, stamp, service, now)
    if "host" not in signature.headers:
        raise refusal(service, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if not hmac.compare_digest((signature.token or "").encode(), (secret.session_token or "").encode()):
        raise _invalid_token(service)
    if not hmac.compare_digest(_expected(signature, request, service, secret, stamp), signature.value.encode()):
        raise refusal(service, MISMATCH)


def refusal(service: str, message: str) -> AwsError:
    """A signature that is not accepted, as this service says it."""
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if _speaks_json(service):
        return AwsError("InvalidSignatureException", message)
    return AwsError("SignatureDoesNotMatch", message, 403)


@cache
def known_regions() -> frozenset[str]:
    """Every region of the standard partition that botocore knows."""
    return frozenset(Session().get_available_regions("ec2"))


def unknown_region(service: str, region: str, expected: str) -> AwsError:
    """For a credential scope that names no region of AWS."""
    if service == "s3":
        message = f"The authorization header is malformed; the region '{region}' is wrong; expecting '{expected}'"
        return AwsError("AuthorizationHeaderMalformed", message)
    return refusal(service, f"Credential should be scoped to a valid region, like {expected}; it names '{region}'.")


def _invalid_token(service: str) -> AwsError:
    message = "The security token included in the request is invalid."
    if service == "ec2":
        return refusal(service, message)
    if service == "s3":
        return AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.")
    code = "UnrecognizedClientException" if _speaks_json(service) else "InvalidClientTokenId"
    return AwsError(code, message, 400 if _speaks_json(service) else 403)


@cache
def _speaks_json(service: str) -> bool:
    """And never spoke anything else: CloudWatch keeps the words of its query protocol."""
    model = get_service_model(service)
    protocols = model.metadata.get("protocols", [model.protocol])
    return "json" in protocols and "query" not in protocols


def _stamp(signature: Signature, request: Request) -> str:
    """The request's date in SigV4's form."""
    given = signature.presigned_at or request.headers.get("X-Amz-Date")
    try:
        if given is None:
            return parsedate_to_datetime(request.headers["Date"]).astimezone(UTC).strftime(_STAMP)
        datetime.strptime(given, _STAMP).replace(tzinfo=UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        raise AwsError("IncompleteSignature", message) from None
    return given


def _check_age(signature: Signature, stamp: str, service: str, now: datetime) -> None:
    age = (now - datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)).total_seconds()
    skew = S3_SKEW_SECONDS if service == "s3" else SKEW_SECONDS
    if signature.presigned_at is not None and service == "s3":
        lifetime = signature.presigned_for
        if not lifetime.isascii() or not lifetime.isdigit() or not 0 < int(lifetime) <= LONGEST_PRESIGNED_SECONDS:
            raise AwsError("AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800 seconds")
        if age > int(lifetime) or age < -skew:
            raise AwsError("AccessDenied", "Request has expired" if age > 0 else "Request is not yet valid", 403)
        return
    if abs(age) <= skew:
        return
    at = now.strftime(_STAMP)
    if service == "ec2":
        raise AwsError("RequestExpired", f"Request has expired. Timestamp date is {stamp}, the lab's is {at}")
    if service == "s3":
        message = "The difference between the request time and the current time is too large."
        raise AwsError("RequestTimeTooSkewed", message, 403)
    if age > 0:
        raise refusal(service, f"Signature expired: {stamp} is now earlier than {at} - 5 min.")
    raise refusal(service, f"Signature not yet current: {stamp} is still later than {at} + 5 min.")


def _expected(signature: Signature, request: Request, service: str, secret: Secret, stamp: str) -> bytes:
    headers = HTTPHeaders()
    for name in signature.headers:
        headers[name] = request.headers.get(name, "")
    signer = (_S3Verifier if service == "s3" else _Verifier)(
        Credentials(signature.access_key_id, secret.secret_access_key),
        signature.signing_name,
        signature.region,
    )
    signer.signed, signer.hashed = headers, _payload(signature, request, service)
    aws_request = AWSRequest(request.method, _raw_url(request))
    aws_request.context["timestamp"] = stamp
    text = signer.string_to_sign(aws_request, signer.canonical_request(aws_request))
    return signer.signature(text, aws_request).encode()


def _payload(signature: Signature, request: Request, service: str) -> str:
    """The hash of the body that was signed. Raises AwsError when S3 was told another than the body has."""
    actual = sha256(request.get_data()).hexdigest()
    if service != "s3":
        return actual
    told = request.headers.get("X-Amz-Content-SHA256") or request.args.get("X-Amz-Content-SHA256")
    if told is None and signature.presigned_at is not None:
        return "UNSIGNED-PAYLOAD"
    if told in _UNHASHED:
        return str(told)
    if told is None or not _HASH.fullmatch(told):
        raise AwsError("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING-... or a SHA-256")
    if told != actual:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise AwsError("XAmzContentSHA256Mismatch", message)
    return told


def _raw_url(request: Request) -> str:
    """As the client wrote it: a decoded path cannot be encoded again in one way only."""
    parts = urlsplit(request.environ["REQUEST_URI"])
    query = "&".join(part for part in parts.query.split("&") if not part.startswith("X-Amz-Signature="))
    return f"http://{request.host}{parts.path or '/'}?{query}"


class _Verifier(SigV4Auth):
    """botocore's signer, told which headers were signed and what the body's hash is."""

    signed: HTTPHeaders
    hashed: str

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return self.signed

    def payload(self, request: AWSRequest) -> str:
        return self.hashed


class _S3Verifier(_Verifier):
    """S3 keys may hold ``//`` and ``..``: the path is signed as it is (botocore: S3SigV4Auth)."""

    def _normalize_url_path(self, path: str) -> str:
        return path
