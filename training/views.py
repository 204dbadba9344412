"""Pages that start a training and show it live."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from registry.access.permissions import permission_required, require
from registry.lib.http import HtmxRequest
from registry.lib.messages import translate_message
from training.config_form import build_knob_form, describe_algorithm
from training.estimate import EXPERIENCE_TEXT, FIRST_GUESS_TEXT
from training.forms import TrainForm
from training.live_updates import ViewerPermissions, live_context
from training.models import TrainingRun
from training.queue import pop_newly_ended, queue_context, repeat_run

TRAIN_PERMISSION = "training.add_trainingrun"
ESTIMATE_TEXTS = {True: EXPERIENCE_TEXT, False: FIRST_GUESS_TEXT}
PREFILLED_FIELDS = ("dataset", "kind", "store", "product", "algorithm", "horizon")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(TRAIN_PERMISSION)
def start_training(request: HttpRequest) -> HttpResponse:
    """The form; a valid one queues a run and leads to its live page."""
    given = {name: request.GET[name] for name in PREFILLED_FIELDS if name in request.GET}
    form = TrainForm(request.POST) if request.method == "POST" else TrainForm(initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            run = form.enqueue_run(request.user)
        except ValueError as problem:
            form.add_error(None, translate_message(str(problem)))
        else:
            return redirect("run", run.pk)
    recent = TrainingRun.objects.select_related("version")[:5]
    return render(request, "training/train.html", {"form": form, "recent": recent, "knobs": form.knobs})


@require_safe
@permission_required(TRAIN_PERMISSION)
def knob_fields(request: HttpRequest) -> HttpResponse:
    """What the chosen method is, and the fieldset of its knobs."""
    name = request.GET.get("algorithm", "")
    return render(
        request, "training/_chosen.html", {"knobs": build_knob_form(name), "about": describe_algorithm(name)}
    )


@require_safe
@permission_required(TRAIN_PERMISSION)
def training_cost(request: HttpRequest) -> HttpResponse:
    """What the training in the form will cost."""
    found = TrainForm(request.GET).estimated_cost
    return render(
        request, "training/_cost.html", {"cost": found, "word": ESTIMATE_TEXTS[bool(found.get("known"))]}
    )


@require_safe
def run_detail(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """The live page: the same fragment that the WebSocket pushes, so a reload shows the same state."""
    found = get_object_or_404(TrainingRun, pk=pk)
    context = live_context(pk, ViewerPermissions.for_user(request.user, found))
    return render(request, "training/_live.html" if request.htmx else "training/run.html", context)


@require_safe
def training_queue(request: HtmxRequest) -> HttpResponse:
    """What runs, what waits in which order, what ended last; the page asks for its list again and again."""
    context = queue_context(request.user.pk)
    return render(request, "training/_queue.html" if request.htmx else "training/queue.html", context)


@require_safe
def ended_runs(request: HtmxRequest) -> HttpResponse:
    """Trainings of this person that have just ended; every page asks. The live page shows its own itself."""
    ended = pop_newly_ended(request.user.pk)
    here = request.htmx.current_url_abs_path or ""
    told = [run for run in ended if not here.startswith(reverse("run", args=[run.pk]))]
    return render(request, "training/_news.html", {"runs": told})


@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks, then stops the run."""
    found = get_steerable_run(request, pk)
    if request.method == "POST":
        found.cancel(request.user)
        return render_action_result(request, found, _("The training is being stopped."))
    context = {
        "title": _("Stop this training?"),
        "sentence": _("What it has learned so far is thrown away."),
        "button": _("Yes, stop it"),
        "back": reverse("run", args=[pk]),
    }
    return render(request, "confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def run_finish(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks, then lets the run end its learning early, test and publish."""
    found = get_steerable_run(request, pk)
    if request.method == "POST":
        found.finish_early(request.user)
        return render_action_result(request, found, _("The training is finishing with what it has learned."))
    context = {
        "title": _("Finish this training now?"),
        "sentence": _("It stops learning, is tested, and is kept with what it has learned so far."),
        "button": _("Yes, finish it"),
        "back": reverse("run", args=[pk]),
    }
    return render(request, "confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(TRAIN_PERMISSION)
def run_repeat(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks, then queues a new run with the settings of this one and leads to it."""
    found = get_object_or_404(TrainingRun, pk=pk)
    if request.method == "POST":
        try:
            following = repeat_run(found, request.user)
        except ValueError as problem:
            messages.error(request, str(problem))
            following = found
        where = reverse("run", args=[following.pk])
        return HttpResponseClientRedirect(where) if request.htmx else redirect(where)
    context = {
        "title": _("Start this training again?"),
        "sentence": _("A new training with the same data, method and settings joins the queue."),
        "button": _("Yes, start it again"),
        "back": reverse("run", args=[pk]),
    }
    return render(request, "confirm.html", context)


def get_steerable_run(request: HtmxRequest, pk: UUID) -> TrainingRun:
    """A run that this person may stop or end early."""
    found = get_object_or_404(TrainingRun, pk=pk)
    require(found.may_steer(request.user), "training.change_trainingrun")
    return found


def render_action_result(request: HtmxRequest, run: TrainingRun, sentence: str) -> HttpResponse:
    """The answer to a button of the live page: its fragment, or the page with a message."""
    if request.htmx:
        context = live_context(run.pk, ViewerPermissions.for_user(request.user, run))
        return render(request, "training/_actions.html", context)
    messages.success(request, sentence)
    return redirect("run", run.pk)
