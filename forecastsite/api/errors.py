"""Exceptions of verbs as problems: the sentence that a page would show, with a status for programs."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja.errors import HttpError, ValidationError

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.lib.messages import translate_error
from registry.lib.refusals import SENTENCES, Problem, explain_unavailable, problem_response
from registry.storage.artifacts import CorruptArtifact

RETRY_AFTER = "Retry-After"
STATUSES: dict[type[Exception], int] = {PermissionDenied: 403, Http404: 404, RequestDataTooBig: 413}

logger = logging.getLogger(__name__)


def explain(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request that failed; an error that nobody expected is logged and has status 500."""
    if isinstance(error, Problem):
        return explain_problem(error)
    if isinstance(error, ValidationError):
        return explain_validation(error)
    if isinstance(error, HttpError):
        detail = _("The body is not valid JSON.") if error.status_code == 400 else str(error)
        return problem_response(error.status_code, detail)
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return problem_response(status, str(error) if status == 403 else SENTENCES[status])
    return explain_verb(error) or explain_unavailable(request, error) or explain_fault(request, error)


def explain_problem(error: Problem) -> HttpResponse:
    """A problem that a route raised by itself."""
    more = dict(error.more)
    wait = more.pop("retry_after", None)
    response = problem_response(error.status, error.detail, **more)
    if wait is not None:
        response[RETRY_AFTER] = str(wait)
    return response


def explain_validation(error: ValidationError) -> HttpResponse:
    """Which part of the request does not fit; pydantic's own words, which are English."""
    errors = [{"field": ".".join(map(str, one["loc"])), "message": str(one["msg"])} for one in error.errors]
    return problem_response(422, _("The request does not fit its description: see errors."), errors=errors)


def explain_verb(error: Exception) -> HttpResponse | None:
    """A verb has refused with one sentence."""
    if isinstance(error, AmbiguousValue):
        question = {"parameter": error.field_name, "answers": list(error.answers)}
        return problem_response(422, error, question=question)
    if isinstance(error, SalesFileError):
        return problem_response(422, error)
    if isinstance(error, ValueError | CorruptArtifact):
        return problem_response(409, translate_error(error))
    return None


def explain_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    """An error of ours."""
    logger.error("%s %s", request.method, request.path, exc_info=error)
    return problem_response(500, _("The server could not do this. Its log says why."))


def require_valid(form: BaseForm, *others: BaseForm) -> None:
    """Raises Problem with the sentences of forms that are not valid."""
    errors: list[dict[str, Any]] = []
    for one in (form, *others):
        errors += [
            {"field": "" if name == "__all__" else name, "message": str(text)}
            for name, texts in one.errors.items()
            for text in texts
        ]
    if errors:
        raise Problem(422, errors[0]["message"], errors=errors)
