"""What a run of a plan would do now, without doing any of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from forecastsite.automation.models import Plan, PlanStep, translate_nested
from forecastsite.automation.starting import list_steps
from forecastsite.automation.steps import digest, forecasting, sales, training
from prediction.accuracy.joining import list_waiting
from prediction.current_maker import find_target
from prediction.order_runs.maker import prepare_order
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.opening import open_place
from registry.datasets.sources.places import list_matching
from registry.datasets.sources.service import list_enabled
from registry.lib.errors import gettext_noop, split_error
from registry.model_versions.in_use import version_in_use

Sentence = tuple[str, dict[str, Any]]
Kind = PlanStep.Kind
FILES = gettext_noop("Files that would be taken ({count}): {names}")
WOULD_CHECK = gettext_noop("Each file is checked; one that would lose rows is held.")
WOULD_SAVE = gettext_noop("Files without such losses are saved.")
FIRST = gettext_noop("The first training would learn for {budget} seconds.")
AGAIN = gettext_noop("{title} would be trained again for {budget} seconds.")
WOULD_JUDGE = gettext_noop("The new version comes into use if it is better.")
WOULD_FORECAST = gettext_noop("{title} would forecast from {day} on.")
UP_TO_DATE = gettext_noop("The forecast is up to date; new sales or another version would change that.")
WOULD_COMPARE = gettext_noop("Forecasts with days to compare: {count}.")
WOULD_ORDER = gettext_noop("An order would be made of the stock of {day}.")
WOULD_MAIL = gettext_noop("Addresses that would get a mail: {count}.")


@dataclass(frozen=True)
class Preview:
    """A step and what it would do."""

    kind: str
    label: str
    sentence: str


def preview_plan(plan: Plan) -> list[Preview]:
    """A sentence for each step."""
    plan = Plan.objects.select_related("dataset").get(pk=plan.pk)
    found = []
    for kind in list_steps(plan):
        text, values = PREVIEWS[kind](plan)
        found.append(Preview(kind.value, str(kind.label), translate_nested(text, values)))
    return found


def preview_fetch(plan: Plan) -> Sentence:
    """The files that lie in the sources."""
    sources = list_enabled(plan.dataset)
    if not sources:
        return sales.NO_SOURCE, {}
    try:
        names = [name for source in sources for name in list_new_files(source)]
    except ValueError as problem:
        return split_error(problem)
    if not names:
        return sales.NO_FILE, {}
    return FILES, {"count": len(names), "names": ", ".join(names[:10])}


def list_new_files(source: Source) -> list[str]:
    """Names of files that were not taken yet; raises PlaceUnreachable."""
    place = open_place(source)
    if place is None:
        return []
    known = set(source.files.exclude(state=SourceFile.State.SEEN).values_list("name", "stamp"))
    found = list_matching(place, source.pattern)
    return [one.name for one in found if (one.name, one.stamp) not in known]


def preview_training(plan: Plan) -> Sentence:
    """Whether a training is due."""
    dataset = plan.dataset
    version, data = version_in_use(dataset), dataset.current_version
    if data is None:
        return training.NO_SALES, {}
    if version is None:
        return FIRST, {"budget": plan.budget}
    if not training.find_reason(plan, version):
        return training.NOT_DUE, {"day": training.last_attempt(dataset, version).date().isoformat()}
    if version.dataset_version_id == data.pk:
        return training.SAME_SALES, {}
    return AGAIN, {"title": version.title, "budget": plan.budget}


def preview_forecast(plan: Plan) -> Sentence:
    """What the forecast would be made of."""
    dataset = plan.dataset
    version = version_in_use(dataset)
    if version is None:
        return forecasting.NO_MODEL, {}
    target = find_target(dataset.pk)
    if target is None:
        return UP_TO_DATE, {}
    return WOULD_FORECAST, {"title": target[0].title, "day": target[1].last.isoformat()}


def preview_order(plan: Plan) -> Sentence:
    """What an order would be made of, or what is missing."""
    try:
        order = prepare_order(plan.dataset)
    except ValueError as problem:
        return split_error(problem)
    return WOULD_ORDER, {"day": order.stock.as_of.isoformat()}


def preview_digest(plan: Plan) -> Sentence:
    """Who would get a mail."""
    if not plan.mail_to:
        return digest.NOBODY, {}
    return (WOULD_MAIL, {"count": len(plan.mail_to)}) if settings.EMAIL_HOST else (digest.NO_HOST, {})


PREVIEWS: dict[str, Callable[[Plan], Sentence]] = {
    Kind.FETCH: preview_fetch,
    Kind.CHECK: lambda plan: (WOULD_CHECK, {}),
    Kind.SAVE: lambda plan: (WOULD_SAVE, {}),
    Kind.RETRAIN: preview_training,
    Kind.GATE: lambda plan: (WOULD_JUDGE, {}),
    Kind.FORECAST: preview_forecast,
    Kind.ACCURACY: lambda plan: (WOULD_COMPARE, {"count": sum(1 for _each in list_waiting(plan.dataset))}),
    Kind.ORDER: preview_order,
    Kind.DIGEST: preview_digest,
}
