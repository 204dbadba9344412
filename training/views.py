"""Pages that start trainings, show them live, stop them and list the queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.labels import describe_skipped
from registry.lib.http import HtmxRequest, render_confirmation
from registry.lib.messages import translate_error
from registry.lib.request_values import read_text
from training.config_form import build_knob_form, describe_algorithm
from training.estimate import EXPERIENCE_TEXT, FIRST_GUESS_TEXT
from training.forms import TrainForm
from training.live_updates import ViewerPermissions, live_context
from training.models import TrainingRun
from training.queue import mark_end_seen, pop_newly_ended, queue_context, repeat_run

TRAIN_PERMISSION = "training.add_trainingrun"
ESTIMATE_TEXTS = {True: EXPERIENCE_TEXT, False: FIRST_GUESS_TEXT}
PREFILLED_FIELDS = ("kind", "store", "product", "algorithm", "horizon")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(TRAIN_PERMISSION)
def start_training(request: HttpRequest) -> HttpResponse:
    """Shows the form; queues the run of a valid one and redirects to its live page."""
    dataset = chosen_dataset(request)
    given = {name: read_text(request.GET, name, 300) for name in PREFILLED_FIELDS if name in request.GET}
    given["dataset"] = str(dataset.pk) if dataset else ""
    form = TrainForm(request.POST) if request.method == "POST" else TrainForm(initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            run = form.enqueue_run(request.user)
        except ValueError as problem:
            form.add_error(None, translate_error(problem))
        else:
            return redirect("run", run.pk)
    runs = TrainingRun.objects.select_related("version", "dataset_version__dataset")
    recent = runs.filter(dataset_version__dataset=dataset)[:5]
    return render(request, "training/train.html", {"form": form, "recent": recent, "knobs": form.knobs})


@require_safe
@permission_required(TRAIN_PERMISSION)
def knob_fields(request: HttpRequest) -> HttpResponse:
    """Description and settings of the chosen algorithm, as a fragment of the form."""
    name = read_text(request.GET, "algorithm")
    return render(
        request,
        "training/train.html#chosen",
        {"knobs": build_knob_form(name), "about": describe_algorithm(name)},
    )


@require_safe
@permission_required(TRAIN_PERMISSION)
def training_cost(request: HttpRequest) -> HttpResponse:
    """The estimated time and memory of the training in the form, as a fragment.

    Seconds that the person has not changed follow the data and the method.
    """
    form = TrainForm(request.GET)
    context: dict[str, Any] = {}
    if request.GET.get("budget") == request.GET.get("suggested", "") != str(form.suggested_budget):
        form = TrainForm(with_budget(request.GET, form.suggested_budget))
        context["budget_form"] = form
    cost = form.estimated_cost
    context |= {"cost": cost, "word": ESTIMATE_TEXTS[bool(cost.get("known"))]}
    return render(request, "training/train.html#cost", {**context, "skipped": describe_skipped(cost)})


def with_budget(data: QueryDict, seconds: int) -> QueryDict:
    """The same form with these seconds, as they are suggested."""
    changed = data.copy()
    changed["budget"] = changed["suggested"] = str(seconds)
    return changed


@require_safe
def run_detail(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """The live page, made of the fragment that the WebSocket pushes, so a reload shows the same state."""
    found = get_object_or_404(TrainingRun, pk=pk)
    context = live_context(pk, ViewerPermissions.for_user(request.user, found))
    if context["ended"]:
        mark_end_seen(pk, request.user.pk)
    return render(request, "training/_live.html" if request.htmx else "training/run.html", context)


@require_safe
def training_queue(request: HtmxRequest) -> HttpResponse:
    """Running, waiting and recently ended trainings; htmx polls the list."""
    context = queue_context(request.user.pk)
    return render(request, "training/queue.html#lists" if request.htmx else "training/queue.html", context)


@require_safe
def ended_runs(request: HtmxRequest) -> HttpResponse:
    """Trainings of this person that have just ended; polled by every page."""
    ended = pop_newly_ended(request.user.pk)
    here = request.htmx.current_url_abs_path or ""
    # a run's live page shows the end by itself
    runs = [run for run in ended if not here.startswith(reverse("run", args=[run.pk]))]
    return render(request, "training/_news.html", {"runs": runs})


@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then stops the run."""
    found = get_steerable_run(request, pk)
    if request.method == "POST":
        found.cancel(request.user)
        return render_action_result(request, found, _("The training is being stopped."))
    sentence, back = _("Progress so far will be lost."), reverse("run", args=[pk])
    return render_confirmation(request, _("Stop this training?"), sentence, _("Yes, stop it"), back)


@require_http_methods(["GET", "HEAD", "POST"])
def run_finish(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then has the run end its learning early, test and publish."""
    found = get_steerable_run(request, pk)
    if request.method == "POST":
        found.finish_early(request.user)
        return render_action_result(request, found, _("The training is finishing with what it has learned."))
    sentence = _("It will stop learning; the model as it is now will be tested and saved.")
    back = reverse("run", args=[pk])
    return render_confirmation(request, _("Finish this training now?"), sentence, _("Yes, finish it"), back)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(TRAIN_PERMISSION)
def run_repeat(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then queues a run with the same settings and redirects to it."""
    found = get_object_or_404(TrainingRun, pk=pk)
    if request.method == "POST":
        try:
            following = repeat_run(found, request.user)
        except ValueError as problem:
            messages.error(request, translate_error(problem))
            following = found
        where = reverse("run", args=[following.pk])
        return HttpResponseClientRedirect(where) if request.htmx else redirect(where)
    sentence = _("A new training with the same data, method and settings will be queued.")
    title, button = _("Start this training again?"), _("Yes, start it again")
    return render_confirmation(request, title, sentence, button, reverse("run", args=[pk]))


def get_steerable_run(request: HtmxRequest, pk: UUID) -> TrainingRun:
    """The run, if this person may stop it or finish it early; otherwise 404 or 403."""
    found = get_object_or_404(TrainingRun, pk=pk)
    require(found.may_steer(request.user), "training.change_trainingrun")
    return found


def render_action_result(request: HtmxRequest, run: TrainingRun, sentence: str) -> HttpResponse:
    """The response to a button of the live page: the buttons again, or the page with a message."""
    if request.htmx:
        context = live_context(run.pk, ViewerPermissions.for_user(request.user, run))
        return render(request, "training/_live.html#actions", context)
    messages.success(request, sentence)
    return redirect("run", run.pk)
