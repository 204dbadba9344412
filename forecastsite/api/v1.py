"""Version 1 of the API: its routers, and the way of a request through them."""

from __future__ import annotations

import json
from functools import cache, partial

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLResolver
from django.urls.exceptions import Resolver404
from django.urls.resolvers import RegexPattern
from ninja import NinjaAPI

import registry.urls  # noqa: F401  registers the path converter "id"
from forecastsite.api.access import router
from forecastsite.api.documents import describe_api
from forecastsite.api.errors import explain
from forecastsite.api.keys import find_key
from forecastsite.api.models import ApiKey
from forecastsite.api.replies import answer_once
from forecastsite.api.routers import (  # noqa: F401  each adds its routes
    accuracy,
    backtests,
    datasets,
    forecasts,
    imports,
    jobs,
    orders,
    overrides,
    scenarios,
    schedules,
    sources,
    trainings,
    versions,
    webhooks,
)
from registry.lib.refusals import SENTENCES, problem_response

DOCUMENT_PATH = "openapi.json"
DESCRIPTION = (
    "Sales forecasts for programs. Send `Authorization: Bearer fs_…`; keys are made on the page “API keys”. "
    "Refusals are problems by RFC 9457. Lists have pages: pass `next` as `cursor`. Long work answers 202 "
    "with a job."
)


def build_api() -> NinjaAPI:
    """The API with all its routes."""
    api = NinjaAPI(
        title="Sales Forecast", version="1", description=DESCRIPTION, openapi_url=None, docs_url=None
    )
    api.add_exception_handler(Exception, explain)  # type: ignore[arg-type]
    for kind in list(api._exception_handlers):
        api.add_exception_handler(kind, explain)  # type: ignore[arg-type]
    api.add_router("", router)
    return api


@cache
def load_api() -> tuple[NinjaAPI, URLResolver]:
    """The API and what finds its routes, built once."""
    api = build_api()
    patterns, _app, _namespace = api.urls
    return api, URLResolver(RegexPattern(r"^"), tuple(patterns))


@cache
def read_document() -> bytes:
    """The description as JSON."""
    return (json.dumps(describe_api(load_api()[0]), indent=1, sort_keys=True) + "\n").encode()


def answer(request: HttpRequest, rest: str) -> HttpResponseBase:
    """The answer of the route that the address names."""
    if rest == DOCUMENT_PATH and request.method in ("GET", "HEAD"):
        return HttpResponse(read_document(), content_type="application/json")
    request.user = AnonymousUser()
    try:
        return explain_method(answer_route(request, rest))
    except Resolver404:
        return problem_response(404, SENTENCES[404])
    except Exception as error:
        return explain(request, error)


def answer_route(request: HttpRequest, rest: str) -> HttpResponseBase:
    """The same for the owner of the key; raises whatever the route raises."""
    key = read_key(request)
    vars(request)["api_key"] = key
    if key is not None:
        request.user = key.owner
    match = load_api()[1].resolve(rest)
    request.resolver_match = match
    view = partial(match.func, request, *match.args, **match.kwargs)
    response: HttpResponseBase = answer_once(request, key, view) if key else view()
    return response


def read_key(request: HttpRequest) -> ApiKey | None:
    """The valid key of the request; None without one."""
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    return find_key(text.strip()) if scheme.lower() == "bearer" else None


def explain_method(response: HttpResponseBase) -> HttpResponseBase:
    """A problem in place of the library's empty answer to a method that the route lacks."""
    if not isinstance(response, HttpResponseNotAllowed):
        return response
    problem = problem_response(405, SENTENCES[405])
    problem["Allow"] = response["Allow"]
    return problem
