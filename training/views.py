"""Pages that start a training and show it live."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registry.said import said
from registry.web import Request
from training.feed import live_context
from training.forms import TrainForm
from training.knobs import about, knob_form
from training.models import TrainingRun

KEPT = ("dataset", "kind", "store", "product", "algorithm", "horizon")


@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest) -> HttpResponse:
    """The form; a valid one queues a run and leads to its live page."""
    given = {name: request.GET[name] for name in KEPT if name in request.GET}
    form = TrainForm(request.POST) if request.method == "POST" else TrainForm(initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            run = form.enqueue(request.user)
        except ValueError as problem:
            form.add_error(None, said(str(problem)))
        else:
            return redirect("run", run.pk)
    recent = TrainingRun.objects.select_related("version")[:5]
    return render(request, "training/train.html", {"form": form, "recent": recent, "knobs": form.knobs})


@require_safe
def knobs(request: HttpRequest) -> HttpResponse:
    """What the chosen method is, and the fieldset of its knobs."""
    name = request.GET.get("algorithm", "")
    return render(request, "training/_chosen.html", {"knobs": knob_form(name), "about": about(name)})


@require_safe
def scope(request: HttpRequest) -> HttpResponse:
    """The suggestions of the chosen dataset."""
    picked = TrainForm(initial={"dataset": request.GET.get("dataset")}).picked
    return render(request, "training/_codes.html", {"dataset": picked})


@require_safe
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The live page: the same fragment that the WebSocket pushes, so a reload shows the same state."""
    get_object_or_404(TrainingRun, pk=pk)
    return render(request, "training/run.html", live_context(pk))


@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel(request: Request, pk: UUID) -> HttpResponse:
    """Asks, then stops the run."""
    found = get_object_or_404(TrainingRun, pk=pk)
    if request.method == "POST":
        found.cancel()
        if request.htmx:
            return render(request, "training/_actions.html", live_context(pk))
        messages.success(request, _("The training is being stopped."))
        return redirect("run", pk)
    context = {
        "title": _("Stop this training?"),
        "sentence": _("What it has learned so far is thrown away."),
        "button": _("Yes, stop it"),
        "back": reverse("run", args=[pk]),
    }
    return render(request, "confirm.html", context)
