"""The one address of the API in the URLs: its library is loaded by the first program that asks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
@login_not_required
def answer_api(request: HttpRequest, rest: str) -> HttpResponseBase:
    """The answer of the route that `rest` names; a session of a browser opens nothing here, only a key."""
    from forecastsite.api.v1 import answer

    return answer(request, rest)
