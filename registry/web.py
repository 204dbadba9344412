"""What views of every app share."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request as HtmxMiddleware leaves it."""

    htmx: HtmxDetails
    user: User  # all pages but a few ask for a sign-in
