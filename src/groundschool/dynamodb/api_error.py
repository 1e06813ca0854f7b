"""The errors of the API, as AWS names and words them."""

from __future__ import annotations

from typing import Any

_CORAL_SERVICE = "com.amazon.coral.service#"
_CORAL_VALIDATE = "com.amazon.coral.validate#"
_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"

_NAMESPACES = {
    "ValidationException": _CORAL_VALIDATE,
    "SerializationException": _CORAL_SERVICE,
    "UnknownOperationException": _CORAL_SERVICE,
    "MissingAuthenticationTokenException": _CORAL_SERVICE,
    "IncompleteSignatureException": _CORAL_SERVICE,
    "InvalidSignatureException": _CORAL_SERVICE,
    "UnrecognizedClientException": _CORAL_SERVICE,
    "AccessDeniedException": _CORAL_SERVICE,
    "ThrottlingException": _CORAL_SERVICE,
    "ServiceUnavailableException": _CORAL_SERVICE,
}


class ApiError(Exception):
    """What an operation answers instead of its result.

    ``members`` are the further members of the error's shape (``Item``, ``CancellationReasons``, ...), in wire form.
    """

    def __init__(self, code: str, message: str | None, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members

    def body(self) -> dict[str, Any]:
        """The JSON body. AWS writes ``Message`` for the errors of its framework and ``message`` for its own."""
        answer: dict[str, Any] = {"__type": _NAMESPACES.get(self.code, _DYNAMODB) + self.code}
        if self.message is not None:
            capital = self.code in ("SerializationException", "AccessDeniedException", "TransactionCanceledException")
            answer["Message" if capital else "message"] = self.message
        answer.update(self.members)
        return answer


def validation(message: str) -> ApiError:
    """ValidationException: the request can never succeed as it is."""
    return ApiError("ValidationException", message)


def invalid_parameters(message: str) -> ApiError:
    """ValidationException with the prefix AWS gives to parameters that contradict each other."""
    return validation(f"One or more parameter values were invalid: {message}")


def serialization(message: str | None = None) -> ApiError:
    """SerializationException: the JSON is broken, or a member has another JSON type than its shape."""
    return ApiError("SerializationException", message)


def table_not_found(name: str | None = None) -> ApiError:
    """ResourceNotFoundException: AWS names the table in the control plane only."""
    suffix = "" if name is None else f": Table: {name} not found"
    return ApiError("ResourceNotFoundException", f"Requested resource not found{suffix}")


def conditional_check_failed(item: dict[str, Any] | None = None) -> ApiError:
    """ConditionalCheckFailedException; ``item`` when ReturnValuesOnConditionCheckFailure asked for it."""
    members: dict[str, Any] = {} if item is None else {"Item": item}
    return ApiError("ConditionalCheckFailedException", "The conditional request failed", **members)
