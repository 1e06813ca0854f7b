"""AWS's wire protocols, both ways, driven by botocore's service models through moto's parsers and serialisers."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs

from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import determine_request_protocol
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request, Response

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params

SERVICE_OF_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
}
"""Where the SigV4 scope names a service differently from botocore's service model."""

API_VERSION_OF_ELBV2 = "2015-12-01"


class WireError(ServiceException):  # type: ignore[misc]
    """An AwsError on its way out. moto looks for a service in the module of its own exceptions, and finds none here."""


def service_of(signing_name: str) -> str:
    """botocore's name of the service model for the service of a credential scope."""
    return SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)


def operation_of(request: Request, service: str) -> str | None:
    """The operation's name; None for REST services, whose operation is in the method and path."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    form = _form(request)
    action = form.get("Action", [None])[0]
    version = form.get("Version", [""])[0]
    if service == "elbv2" and action and version != API_VERSION_OF_ELBV2:
        raise AwsError(
            "UnsupportedOperation",
            f"The lab has Application Load Balancers (elbv2, {API_VERSION_OF_ELBV2}) only, not version {version}",
        )
    return action


def decode(request: Request, call: Call) -> Params:
    """The operation's input in boto3's shape.

    Raises AwsError InvalidAction for an operation AWS does not have, and MalformedQueryString or SerializationException
    for a body that cannot be read.
    """
    model = _operation_model(call)
    protocol = determine_request_protocol(model.service_model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](model, map_type=dict)
    values = {name: texts[0] for name, texts in _form(request).items()}
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "values": values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": {},
            }
        )
    except (RequestParserError, ValueError, TypeError, KeyError, AttributeError) as error:
        code = "SerializationException" if protocol == "json" else "MalformedQueryString"
        raise AwsError(code, f"The input of {call.operation} cannot be read: {error}") from error
    _validate(call, parsed, model)
    return cast(Params, parsed)


def _validate(call: Call, parsed: Any, model: Any) -> None:
    """Raises AwsError for what the service model does not allow; neither moto nor the lab's own handlers look twice."""
    if model.input_shape is None:
        return
    if not isinstance(parsed, dict):
        raise AwsError("SerializationException", f"The input of {call.operation} must be an object")
    report = ParamValidator().validate(parsed, model.input_shape)
    if not report.has_errors():
        return
    words = report.generate_report()
    if call.service == "ec2":
        raise AwsError("MissingParameter" if "Missing required" in words else "InvalidParameterValue", words)
    if call.service == "resourcegroupstaggingapi":
        raise AwsError("InvalidParameterException", words)
    json = model.service_model.protocol == "json"
    raise AwsError("ValidationException" if json else "ValidationError", words)


def encode(request: Request, call: Call, result: dict[str, Any] | AwsError) -> Response:
    """The answer, or the error, in the protocol the request was made in."""
    request_id = str(uuid.uuid4())
    serializer = _serializer(request, call, request_id)
    if isinstance(result, AwsError):
        serialized = serializer.serialize(WireError(result.code, printable(result.message)))
        status = result.status
    else:
        serialized = serializer.serialize(result)
        status = serialized["status_code"]
    headers = dict(serialized["headers"])
    headers["x-amzn-RequestId"] = request_id
    return Response(serialized["body"], status=status, headers=headers)


def encode_unrouted(error: AwsError) -> Response:
    """For a request whose service is not known: AWS's plain XML error."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse><Error><Type>Sender</Type>'
        f"<Code>{_escape(error.code)}</Code><Message>{_escape(printable(error.message))}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Response(body, status=error.status, content_type="text/xml")


def _form(request: Request) -> dict[str, list[str]]:
    """The query protocol's fields. Parsed here, because werkzeug would consume the body before moto can read it."""
    cached = request.environ.get("groundschool.form")
    if cached is None:
        cached = parse_qs(request.query_string.decode("utf-8", "replace"), keep_blank_values=True)
        if (request.content_type or "").startswith("application/x-www-form-urlencoded"):
            cached |= parse_qs(request.get_data().decode("utf-8", "replace"), keep_blank_values=True)
        request.environ["groundschool.form"] = cached
    return cast(dict[str, list[str]], cached)


def _operation_model(call: Call) -> Any:
    try:
        return get_service_model(call.service).operation_model(call.operation)
    except OperationNotFoundError:
        raise AwsError(
            "InvalidAction", f"The action {call.operation} is not valid for this web service ({call.service})"
        ) from None


def _serializer(request: Request, call: Call, request_id: str) -> Any:
    service_model = get_service_model(call.service)
    try:
        operation_model = service_model.operation_model(call.operation)
    except OperationNotFoundError:
        operation_model = OperationModel({}, service_model)
    protocol = determine_request_protocol(service_model, request.content_type)
    return _serializer_class(call.service, protocol)(operation_model, SerializationContext(request_id))


@cache
def _serializer_class(service: str, protocol: str) -> Any:
    """moto's serialiser for results that are plain dicts already.

    moto looks for each member of a shape under several names and attributes, and keeps a path of where it is; that took
    most of a large answer's time. Only what is there is looked at here.
    """
    moto = get_serializer_class(service, protocol)

    def get_value(self: Any, value: Any, key: str, shape: Any) -> Any:
        return value.get(key) if isinstance(value, dict) else None

    def json_content_type(self: Any) -> str:
        """moto looks at the first protocol of the service only, which for some is one that boto3 does not speak."""
        return f"application/x-amz-json-{self.service_model.metadata.get('jsonVersion', '1.0')}"

    if protocol == "json":
        return type(
            "PlainSerializer",
            (moto,),
            {"get_value": get_value, "_get_protocol_specific_content_type": json_content_type},
        )
    if protocol not in ("ec2", "query"):
        return type("PlainSerializer", (moto,), {"get_value": get_value})

    def serialize(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        method = getattr(self, f"_serialize_type_{shape.type_name}", None) or self._default_serialize
        method(serialized, value, shape, key)

    def structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        wrapper: dict[str, Any] = {} if key else serialized
        given = value if isinstance(value, dict) else {}
        for name, member in shape.members.items():
            found = given.get(name)
            if found is not None:
                self._serialize(wrapper, found, member, name)
        if key:
            self._default_serialize(serialized, wrapper, shape, key)

    return type("PlainSerializer", (moto,), {"_serialize": serialize, "_serialize_type_structure": structure})


def printable(text: str) -> str:
    """A client's own words, safe to repeat in an error: XML has no control characters, and a log no second line."""
    return "".join(character if character.isprintable() else "?" for character in text)[:1000]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
