"""schemathesis over the description: no error of ours, no status, type or shape that is not described.

A bounded number of cases for each operation; FAULTS=full sends forty times more.
"""

from __future__ import annotations

import json
import os

import pytest
import schemathesis
import torch
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from forecastsite.api.keys import make_key
from forecastsite.api.scopes import SCOPES
from forecastsite.api.v1 import read_document
from prediction.models import CurrentForecast

CASES = 120 if os.environ.get("FAULTS") == "full" else 3
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def list_operations():
    """All operations, those that delete at the end."""
    schema = schemathesis.openapi.from_dict(json.loads(read_document()))
    found = [one.ok() for one in schema.get_all_operations()]
    return sorted(found, key=lambda one: one.method == "delete")


@pytest.fixture
def one_connection():
    """As the test client of Django has it: the end of a request does not close the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
def test_no_case_gets_what_the_description_lacks(admin, version, make_run, settings, one_connection):
    run = make_run(version)
    facts = {"run": run, "forecast": run.totals}
    CurrentForecast.objects.update_or_create(dataset=version.model.dataset, defaults=facts)
    settings.ALLOWED_HOSTS, settings.WAITING_PER_USER = ["*"], 1000
    _key, text = make_key(admin, "fuzz", list(SCOPES))
    application, headers = get_wsgi_application(), {"Authorization": f"Bearer {text}"}
    operations = list_operations()
    assert len(operations) > 40
    allow_subnormal_numbers()
    for operation in operations:
        send_cases(operation, application, headers)


def allow_subnormal_numbers() -> None:
    """Forecasting rounds the smallest numbers to 0 in its process, which hypothesis refuses to work with."""
    torch.set_flush_denormal(False)


def send_cases(operation, application, headers) -> None:
    """Some cases of one operation."""

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case) -> None:
        case.operation.schema.app = application
        response = case.call(headers=headers, base_url="http://testserver", app=application)
        allow_subnormal_numbers()
        case.validate_response(response, checks=CHECKS, headers=headers)

    send()
