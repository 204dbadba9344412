"""One click: trains the settings of a version on the newest sales."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registry.access.permissions import permission_required
from registry.lib.http import HtmxRequest
from registry.lib.messages import translate_error
from registry.model_versions.models import ModelVersion
from training.queue import retrain_version
from training.successors import retrain_token


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("training.add_trainingrun")
def model_retrain(request: HtmxRequest, pk: uuid.UUID) -> HttpResponse:
    """Queues the training and shows its live page; a GET only redirects to the version's page."""
    version = get_object_or_404(ModelVersion.objects.ready().select_related("model__dataset"), pk=pk)
    if request.method != "POST":
        return redirect("model", pk)
    try:
        run = retrain_version(version, request.user, retrain_token(version))
    except ValueError as problem:
        messages.error(request, translate_error(problem))
        return redirect("model", pk)
    messages.success(request, _("The training on the newest sales has been queued."))
    return redirect("run", run.pk)
