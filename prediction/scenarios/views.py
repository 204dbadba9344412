"""Pages of scenarios: try one on a forecast, change, compare, share, adopt."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from prediction.forecast_page.tabs import asked_forecast
from prediction.models import Forecast
from prediction.scenarios.forms import EditForm, NameForm
from prediction.scenarios.models import Scenario
from prediction.scenarios.outcome import Outcome
from prediction.scenarios.page import compare_context, list_context, new_context, scenario_context
from prediction.scenarios.runner import update_scenario
from prediction.scenarios.wording import compared_table, default_name, plan_table
from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.http import allow_form_methods, render_confirmation
from registry.lib.request_values import read_id, read_uuids

ADD, ADOPT = "prediction.add_scenario", "registry.add_datasetversion"
MOST_COMPARED = 4


@allow_form_methods
@permission_required(ADD)
def forecast_plan(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Tries a plan on a saved forecast."""
    return show_new(request, get_object_or_404(Forecast.objects.with_names(), pk=pk))


@allow_form_methods
@permission_required(ADD)
def forecast_asked_plan(request: HttpRequest) -> HttpResponse:
    """The same on a forecast that an address asks for."""
    asked = asked_forecast(request)
    if asked is None:
        return redirect(f"{reverse('forecast')}?{request.GET.urlencode()}")
    return show_new(request, asked)


def show_new(request: HttpRequest, forecast: Forecast) -> HttpResponse:
    """The form for the first change; sent, it becomes a scenario."""
    given = request.POST if request.method == "POST" else None
    form = EditForm(forecast.dataset_version, forecast.selection, forecast.horizon, given)
    if form.is_bound and form.is_valid():
        Scenario.objects.remove_old()
        scenario = Scenario(
            name=default_name([form.edit]),
            version=forecast.version,
            dataset_version=forecast.dataset_version,
            horizon=forecast.horizon,
            created_by=cast(User, request.user),
        )
        scenario.selection = forecast.selection
        scenario.change_edits([form.edit])
        update_scenario(scenario)
        return redirect("scenario", scenario.pk)
    return render(request, "prediction/plan_new.html", new_context(forecast, form))


@require_safe
def scenario_list(request: HttpRequest) -> HttpResponse:
    """One's own scenarios of the dataset and those that others share."""
    found = Scenario.objects.of_dataset(chosen_dataset(request)).visible_to(request.user)
    return render(request, "prediction/plans.html", list_context(request, found))


@require_safe
def scenario_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A scenario: what changes, both forecasts, the difference; also as CSV and Excel."""
    scenario = find_scenario(request, pk)
    if scenario.is_due:
        scenario.ask()
    elif (kind := request.GET.get("export")) in EXPORT_FORMATS and scenario.content:
        return export_table("plan", kind, plan_table(scenario, Outcome.from_json(scenario.content)))
    return render(request, "prediction/plan.html", scenario_context(request, scenario))


def find_scenario(request: HttpRequest, pk: UUID) -> Scenario:
    """One's own scenario or a shared one; 404 for those that others keep to themselves."""
    related = ("version__model__dataset", "dataset_version__dataset", "created_by", "adopted")
    found = Scenario.objects.visible_to(request.user).select_related(*related)
    return get_object_or_404(found, pk=pk)


@require_POST
@permission_required(ADD)
def scenario_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Adds a change, or takes the one with the number `remove` away."""
    scenario = find_scenario(request, pk)
    require(scenario.may_change(request.user), ADD)
    edits, number = scenario.list_edits(), read_id(request.POST.get("remove"))
    if number is not None:
        scenario.change_edits([edit for place, edit in enumerate(edits) if place != number])
    else:
        form = EditForm(scenario.dataset_version, scenario.selection, scenario.horizon, request.POST)
        if not form.is_valid():
            return render(request, "prediction/plan.html", scenario_context(request, scenario, form))
        scenario.change_edits([*edits, form.edit])
    update_scenario(scenario)
    return redirect("scenario", pk)


@require_POST
@permission_required(ADD)
def scenario_change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another name, or other people who may see it."""
    scenario, form = find_scenario(request, pk), NameForm(request.POST)
    require(scenario.may_change(request.user), ADD)
    if form.is_valid():
        scenario.rename(form.cleaned_data["name"], form.cleaned_data["is_shared"])
        messages.success(request, _("Saved as %(name)s.") % {"name": scenario.name})
    else:
        messages.error(request, _("A plan needs a name of up to 80 characters."))
    return redirect("scenario", pk)


@require_POST
@permission_required(ADD)
def scenario_duplicate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A copy of one's own."""
    return redirect("scenario", find_scenario(request, pk).duplicate(cast(User, request.user)).pk)


@allow_form_methods
@permission_required(ADD)
def scenario_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, then deletes it."""
    scenario = find_scenario(request, pk)
    require(scenario.may_delete(request.user), "prediction.delete_scenario")
    if request.method == "POST":
        messages.success(request, _("Deleted %(name)s.") % {"name": scenario.name})
        scenario.delete()
        return redirect("scenarios")
    title = _("Delete %(name)s?") % {"name": scenario.name}
    sentence = _("The plan that was tried is deleted; the data stays as it is.")
    return render_confirmation(request, title, sentence, _("Yes, delete it"), reverse("scenario", args=[pk]))


@require_safe
def scenario_compare(request: HttpRequest) -> HttpResponse:
    """Up to four scenarios of the same forecast side by side; also as CSV and Excel."""
    wanted = read_uuids(request.GET, "plan")[:MOST_COMPARED]
    found = Scenario.objects.of_dataset(chosen_dataset(request)).visible_to(request.user)
    context = compare_context(found, wanted)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS and context["rows"]:
        return export_table("plans", kind, compared_table(context["rows"]))
    return render(request, "prediction/plans_compare.html", context)


@allow_form_methods
@permission_required(ADOPT)
def scenario_adopt(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, then makes the plan part of the data: the next dataset version."""
    scenario = find_scenario(request, pk)
    if not scenario.is_adoptable:
        raise Http404
    if request.method == "POST":
        scenario.ask_for_adoption(cast(User, request.user))
        messages.success(
            request, _("The plan is being adopted: the next version of the data follows in a moment.")
        )
        return redirect("scenario", pk)
    title = _("Adopt %(name)s as the plan?") % {"name": scenario.name}
    words: dict[str, Any] = {"dataset": scenario.dataset_version.dataset}
    sentence = _("%(dataset)s gets a new version with these days; all forecasts follow it.") % words
    return render_confirmation(request, title, sentence, _("Yes, adopt it"), reverse("scenario", args=[pk]))
