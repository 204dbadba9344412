"""Plans that are tried on a forecast: made, changed, shared, copied, adopted, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.plan_schemas import EditsIn, PlanEditIn, ScenarioIn, ScenarioNameIn, ScenarioOut
from forecastsite.api.shapes import pick
from prediction.forecast_page.forms import ForecastForm
from prediction.models import Forecast
from prediction.scenarios.edits import PlanEdit
from prediction.scenarios.forms import EditForm, list_targets, target_value
from prediction.scenarios.models import Scenario
from prediction.scenarios.runner import update_scenario
from prediction.scenarios.views import ADD, ADOPT, find_scenario
from prediction.scenarios.wording import default_name
from registry.access.permissions import require
from registry.datasets.models import Dataset
from registry.series.levels import LevelValue, Selection

READ, WRITE = "scenarios:read", "scenarios:write"
YES_NO = {"promotion": ("on", "off"), "opens": ("open", "closed")}  # as the form has them


@router.get("/datasets/{id:dataset}/scenarios", response=Page[ScenarioOut], **needs(READ))
def list_scenarios(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """One's own plans of a dataset and those that others share, newest first."""
    rows = Scenario.objects.of_dataset(get_object_or_404(Dataset, pk=dataset)).visible_to(request.user)
    return page_newest(rows, paging, lambda row: show_scenario(row) | {"outcome": None})


@router.post("/datasets/{id:dataset}/scenarios", response={201: ScenarioOut}, **needs(WRITE, ADD))
def create_scenario(request: KeyRequest, dataset: int, body: ScenarioIn) -> Any:
    """Tries changes on a forecast; of many series a job works them out: ask until its state is done."""
    owner = get_object_or_404(Dataset, pk=dataset)
    made = Scenario.objects.filter(pk=request.once).first()
    if made is None:
        forecast = find_forecast(owner, body)
        made = Scenario(pk=request.once, version=forecast.version, dataset_version=forecast.dataset_version)
        made.horizon, made.created_by, made.selection = forecast.horizon, request.user, forecast.selection
        edits = [read_edit(made, one) for one in body.edits]
        made.name = default_name(edits)
        made.change_edits(edits)
        update_scenario(made)
    return Status(201, show_scenario(made))


@router.get("/scenarios/{uuid:scenario}", response=ScenarioOut, **needs(READ))
def get_scenario(request: KeyRequest, scenario: UUID) -> Any:
    """A plan with its outcome, once it is worked out."""
    found = find_scenario(request, scenario)
    if found.is_due:
        found.ask()
    return show_scenario(found)


@router.put("/scenarios/{uuid:scenario}/edits", response=ScenarioOut, **needs(WRITE, ADD))
def put_edits(request: KeyRequest, scenario: UUID, body: EditsIn) -> Any:
    """Other changes in place of those before."""
    found = find_own(request, scenario)
    found.change_edits([read_edit(found, one) for one in body.edits])
    update_scenario(found)
    return show_scenario(found)


@router.patch("/scenarios/{uuid:scenario}", response=ScenarioOut, **needs(WRITE, ADD))
def rename_scenario(request: KeyRequest, scenario: UUID, body: ScenarioNameIn) -> Any:
    """Another name, or other people who may see it."""
    found = find_own(request, scenario)
    found.rename(body.name, body.shared)
    return show_scenario(found)


@router.post("/scenarios/{uuid:scenario}/copy", response={201: ScenarioOut}, **needs(WRITE, ADD))
def copy_scenario(request: KeyRequest, scenario: UUID) -> Any:
    """A copy of one's own."""
    return Status(201, show_scenario(find_scenario(request, scenario).duplicate(request.user)))


@router.post("/scenarios/{uuid:scenario}/adopt", response={202: ScenarioOut}, **needs(WRITE, ADOPT))
def adopt_scenario(request: KeyRequest, response: HttpResponse, scenario: UUID) -> Any:
    """Makes the plan part of the data: `adopted` names the version once a job has made it."""
    found = find_scenario(request, scenario)
    if not found.is_adoptable:
        raise ValueError(_("This plan was adopted before, or changes nothing."))
    found.ask_for_adoption(request.user)
    response["Location"] = f"/api/v1/scenarios/{found.pk}"
    return Status(202, show_scenario(found))


@router.delete("/scenarios/{uuid:scenario}", response={204: None}, **needs(WRITE))
def delete_scenario(request: KeyRequest, scenario: UUID) -> Any:
    """Deletes the plan; the data stays as it is."""
    found = find_scenario(request, scenario)
    require(found.may_delete(request.user), "prediction.delete_scenario")
    found.delete()
    return Status(204, None)


def find_own(request: KeyRequest, pk: UUID) -> Scenario:
    """One's own; raises PermissionDenied for a shared one of somebody else."""
    found = find_scenario(request, pk)
    require(found.may_change(request.user), ADD)
    return found


def find_forecast(dataset: Dataset, body: ScenarioIn) -> Forecast:
    """The saved forecast, or an unsaved one as it is described; raises Problem."""
    if body.forecast is not None:
        rows = Forecast.objects.ready().with_names().filter(dataset_version__dataset=dataset)
        return get_object_or_404(rows, pk=body.forecast)
    given = body.dict(include={"product", "store", "horizon", "version"}, exclude_none=True)
    form = ForecastForm(dataset, {name: str(value) for name, value in given.items()})
    require_valid(form)
    data, question = dataset.current_version, form.question
    if data is None:
        raise ValueError(_("A forecast needs a trained model. Train one first."))
    forecast = Forecast(version=question.version, dataset_version=data, horizon=question.horizon)
    forecast.selection, forecast.origin, forecast.created_at = question.selection, data.last, timezone.now()
    return forecast


def read_edit(scenario: Scenario, body: PlanEditIn) -> PlanEdit:
    """A change as the form of the page reads it; raises Problem with its sentences."""
    data, selection = scenario.dataset_version, scenario.selection
    given: dict[str, Any] = {"days": [day.isoformat() for day in body.days]}
    given["promotion"] = choose_word("promotion", body.promotion)
    given["opening"] = choose_word("opens", body.opens)
    given["price"] = "" if body.price is None else str(round(100 * body.price, 6))
    given |= choose_target(body, selection, list_targets(data, selection))
    form = EditForm(data, selection, scenario.horizon, given)
    require_valid(form)
    return form.edit


def choose_word(name: str, value: bool | None) -> str:
    """A choice of the form."""
    yes, no = YES_NO[name]
    return "" if value is None else yes if value else no


def choose_target(
    body: PlanEditIn, selection: Selection, targets: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Which series the form should take: a choice of its own, else one with product and store beside it."""
    groups = (LevelValue.from_text(body.group),) if body.group else ()
    wanted = Selection(body.store, body.product, groups)
    if wanted == Selection() and not body.everything:
        wanted = selection
    if target_value(wanted) in dict(targets):
        return {"target": target_value(wanted)}
    whole = Selection(levels=groups)
    return {"target": target_value(whole), "product": body.product, "store": body.store}


def show_scenario(row: Scenario) -> dict[str, Any]:
    """A plan; needs its dataset version."""
    facts = pick(row, "id", "name", "horizon", "edits", "created_at")
    facts |= {"dataset": row.dataset_version.dataset_id, "dataset_version": row.dataset_version_id}
    facts |= {"version": row.version_id, "shared": row.is_shared, "adopted": row.adopted_id}
    asked = row.selection
    facts |= {"product": asked.product, "store": asked.store, "groups": [str(one) for one in asked.levels]}
    state = "failed" if row.problem else "queued" if row.content is None else "done"
    return facts | {"state": state, "error": row.problem_text, "outcome": row.content}
