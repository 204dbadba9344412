"""The address of the figures for Prometheus."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures as text, for whom METRICS_TOKEN or METRICS_ADDRESSES let in; 404 for everybody else."""
    if not may_read_metrics(request):
        raise Http404
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    from forecastsite.server.metrics import registry

    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    """Whether the request bears the token or comes from an allowed address."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    known = settings.METRICS_TOKEN
    if known and scheme.lower() == "bearer" and constant_time_compare(token.strip(), known):
        return True
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ADDRESSES)
