"""The OpenAPI file describes the app: schemathesis sends what it allows, and what it forbids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import visitor_board

FILE = Path(visitor_board.__file__).parent / "static" / "openapi.yaml"
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


ALLOWED, FORBIDDEN = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        pytest.param("/api/messages", "GET", ALLOWED, id="list"),
        pytest.param("/api/messages", "GET", FORBIDDEN, id="list with what is forbidden"),
        pytest.param("/api/messages", "POST", ALLOWED, id="post"),
        pytest.param("/api/messages", "POST", FORBIDDEN, id="post what is forbidden"),
        pytest.param("/health", "GET", ALLOWED, id="health"),
        pytest.param("/ready", "GET", ALLOWED, id="ready"),
        pytest.param("/metrics", "GET", ALLOWED, id="metrics"),
    ],
)
def test_the_app_behaves_as_its_openapi_file_says(
    make_app: Callable[..., Flask], path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_path(FILE)
    schema.app = make_app()
    operation = schema[path][method]

    @hypothesis_settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def explore(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    explore()


def test_every_route_is_described(make_app: Callable[..., Flask]) -> None:
    text = FILE.read_text()
    routes = {
        rule.rule for rule in make_app().url_map.iter_rules() if rule.rule not in ("/", "/static/<path:filename>")
    }
    assert all(f"\n  {route}:\n" in text for route in routes)
