"""Pages of automation: sources and plans of a dataset, a plan, one of its runs as a timeline."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from forecastsite.automation.forms import PlanForm, delete_plan, switch_plan
from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.page import describe_plan, list_sources, show_steps
from forecastsite.automation.preview import preview_plan
from forecastsite.automation.starting import start_plan
from registry.access.permissions import permission_required
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.lib.http import allow_form_methods, render_confirmation
from registry.lib.messages import translate_error

ADD, CHANGE, DELETE, RUN = (f"forecastsite.{verb}_plan" for verb in ("add", "change", "delete", "run"))
SHOWN_RUNS, RUNS_ON_A_PAGE = 10, 25


@require_safe
def automation_page(request: HttpRequest) -> HttpResponse:
    """The plans and sources of the chosen dataset, and what ran of late."""
    dataset = chosen_dataset(request)
    plans = [describe_plan(plan) for plan in Plan.objects.filter(dataset=dataset)]
    runs = PlanRun.objects.filter(dataset=dataset).select_related("plan", "created_by")[:SHOWN_RUNS]
    context: dict[str, Any] = {"dataset": dataset, "plans": plans, "runs": runs}
    context |= {"sources": list_sources(dataset), "is_going": any(run.is_going for run in runs)}
    return render(request, "automation/list.html", context)


@allow_form_methods
@permission_required(ADD)
def plan_create(request: HttpRequest) -> HttpResponse:
    """The form of a new plan of the chosen dataset."""
    dataset = chosen_dataset(request)
    if dataset is None:
        messages.error(request, _("Import sales first: a schedule belongs to a dataset."))
        return redirect("data")
    return answer_form(request, dataset, Plan(dataset=dataset))


@allow_form_methods
@permission_required(CHANGE)
def plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a plan."""
    plan = get_object_or_404(Plan.objects.select_related("dataset"), pk=pk)
    return answer_form(request, plan.dataset, plan)


def answer_form(request: HttpRequest, dataset: Dataset, plan: Plan) -> HttpResponse:
    """Shows or saves the form."""
    form = PlanForm(dataset, request.POST if request.method == "POST" else None, instance=plan)
    if request.method == "POST" and form.is_valid():
        saved = form.save_plan(cast(User, request.user))
        messages.success(request, _("%(name)s is saved.") % {"name": saved})
        return redirect("plan", saved.pk)
    context = {"form": form, "dataset": dataset, "new_title": _("New schedule")}
    return render(request, "automation/plan_form.html", context)


@require_safe
def plan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A plan with its next time and its runs; `?preview` tells what a run would do."""
    plan = get_object_or_404(Plan.objects.select_related("dataset"), pk=pk)
    page = Paginator(plan.runs.select_related("created_by"), RUNS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"plan": plan, "row": describe_plan(plan), "page": page}
    context["is_going"] = any(run.is_going for run in page)
    if "preview" in request.GET:
        context["previews"] = preview_plan(plan)
    return render(request, "automation/plan.html", context)


@require_safe
def planrun_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A run as a timeline that fills while it goes."""
    related = ("plan", "dataset", "created_by")
    run = get_object_or_404(PlanRun.objects.select_related(*related), pk=pk)
    return render(request, "automation/run.html", {"run": run, "steps": show_steps(run)})


@require_POST
@permission_required(RUN)
def plan_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Runs the plan now."""
    plan = get_object_or_404(Plan, pk=pk)
    try:
        run = start_plan(plan, PlanRun.Cause.PAGE, cast(User, request.user))
    except ValueError as problem:
        messages.error(request, translate_error(problem))
        return redirect("plan", pk)
    return redirect("planrun", run.pk)


@require_POST
@permission_required(RUN)
def plan_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches the plan on or off."""
    plan = get_object_or_404(Plan.objects.select_related("dataset"), pk=pk)
    switch_plan(plan, not plan.is_enabled, cast(User, request.user))
    text = _("%(name)s is switched on.") if plan.is_enabled else _("%(name)s is switched off.")
    messages.success(request, text % {"name": plan})
    return redirect("plan", pk)


@allow_form_methods
@permission_required(DELETE)
def plan_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes the plan after confirmation."""
    plan = get_object_or_404(Plan.objects.select_related("dataset"), pk=pk)
    if request.method == "POST":
        delete_plan(plan, cast(User, request.user))
        messages.success(request, _("Deleted %(name)s.") % {"name": plan})
        return redirect("automation")
    title = _("Delete the schedule %(name)s?") % {"name": plan}
    sentence = _("The list of its runs goes with it. Sales, models, forecasts and orders stay.")
    return render_confirmation(request, title, sentence, _("Yes, delete"), reverse("plan", args=[pk]))
