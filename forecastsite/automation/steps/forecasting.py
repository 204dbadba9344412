"""Steps that use the model: forecast everything, compare with sales, make an order."""

from __future__ import annotations

import uuid

from forecastsite.automation.models import PlanStep
from forecastsite.automation.outcome import Outcome, skip, wait
from prediction.accuracy.joining import compare_dataset
from prediction.current_forecast import find_row
from prediction.current_maker import find_target, update_current_forecast
from prediction.models import AccuracyAlert, OrderRun
from prediction.order_runs.maker import prepare_order, save_order
from registry.datasets.models import Dataset
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions.in_use import version_in_use

NO_MODEL = gettext_noop("There is no model of everything yet.")
BEING_MADE = gettext_noop("The forecast is being made.")
MADE = gettext_noop("{series} series for {days} days from {day} on.")
UP_TO_DATE = gettext_noop("It was up to date: {series} series for {days} days from {day} on.")
COMPARED = gettext_noop("Forecasts compared with what was sold: {runs}. Open alerts: {alerts}.")
NO_FORECAST = gettext_noop("There is no new forecast to order by.")
ORDER_MADE = gettext_noop("{ordered} of {lines} lines are ordered, {units} units; they wait for approval.")
BEING_ORDERED = gettext_noop("The order is being made.")


def make_forecast(step: PlanStep) -> Outcome:
    """Makes the current forecast unless it is up to date; only one process does so at a time."""
    dataset = Dataset.objects.get(pk=step.run.dataset_id)
    if version_in_use(dataset) is None:
        return skip(NO_MODEL)
    was_due = find_target(dataset.pk) is not None
    if was_due:
        update_current_forecast(dataset)
    row = find_row(dataset)
    if find_target(dataset.pk) is not None:
        if row is not None and row.problem:
            raise MessageError(row.problem["message"], **row.problem.get("values", {}))
        return wait(BEING_MADE)
    run = row.run if row else None
    if run is None:
        return skip(NO_MODEL)
    day = run.first_day.isoformat() if run.first_day else "–"
    is_new = was_due or run.created_at >= step.run.created_at
    facts = {"series": run.series, "days": run.horizon, "day": day}
    return Outcome(MADE if is_new else UP_TO_DATE, facts, {"products-run": str(run.pk)})


def compare_with_sales(step: PlanStep) -> Outcome:
    """Compares earlier forecasts with the days that are known by now."""
    dataset = Dataset.objects.get(pk=step.run.dataset_id)
    count = compare_dataset(dataset)
    alerts = AccuracyAlert.objects.filter(dataset=dataset, state=AccuracyAlert.State.OPEN).count()
    return Outcome(COMPARED, {"runs": count, "alerts": alerts}, {"accuracy": None})


def make_order(step: PlanStep) -> Outcome:
    """Queues an order, once, and waits for it; none without a forecast."""
    failed = step.run.steps.filter(kind=PlanStep.Kind.FORECAST).exclude(state=PlanStep.State.DONE)
    if failed.exists():
        return skip(NO_FORECAST)
    token = uuid.uuid5(step.run.pk, "order")
    order = OrderRun.objects.filter(form_token=token).first()
    if order is None:
        facts = {"form_token": token, "source": OrderRun.Source.PLAN, "created_by": step.run.created_by}
        order = save_order(prepare_order(step.run.dataset, **facts))
    links = {"orders-run": str(order.pk)}
    if order.is_going:
        return wait(BEING_ORDERED, links)
    if not order.is_done:
        raise MessageError(order.error, **(order.error_values or {}))
    facts = {"ordered": order.ordered, "lines": order.lines, "units": round(order.units)}
    return Outcome(ORDER_MADE, facts, links)
