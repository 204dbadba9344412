"""What needs attention in a dataset, worst first, each with the one thing to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.accuracy import ActualsSoFar
from prediction.current_forecast import Items
from prediction.items.wording import describe_level
from prediction.models import Forecast
from registry.access.permissions import Person
from registry.datasets.actuals import current_by_dataset
from registry.datasets.addresses import reverse_in_dataset
from registry.datasets.models import Dataset
from registry.labels import algorithm_label, forecast_label, scope_text, with_name
from registry.lib.formatting import format_percent, format_whole_number
from registry.model_versions.staleness import StaleVersion, list_stale_in_use
from training.models import TrainingRun

MAX_OF_A_KIND = 3
CheckedForecasts = Sequence[tuple[Forecast, ActualsSoFar | None]]


@dataclass(frozen=True)
class AttentionItem:
    """A badge with its colour, a sentence, and the verb that leads to the remedy (`is_post`: a button)."""

    kind: str
    badge: str
    text: str
    verb: str
    link: str
    is_post: bool = False


@dataclass(frozen=True)
class OtherDataset:
    """How many things need attention in a dataset that the page is not about."""

    name: str
    count: int
    link: str


def attention_items(
    dataset: Dataset, checked: CheckedForecasts, items: Items, user: Person
) -> list[AttentionItem]:
    """Everything that needs attention in this dataset."""
    failed = [failed_run_item(run) for run in failed_runs([dataset.pk])[:MAX_OF_A_KIND]]
    stale = [stale_version_item(row, user) for row in list_stale_in_use(dataset)[:MAX_OF_A_KIND]]
    off = [*off_target_items(checked), *level_items(items)]
    return [*failed, *off, *stale, *stale_sales_items(dataset, user)]


def list_other_datasets(dataset: Dataset | None) -> list[OtherDataset]:
    """Other datasets with failed trainings or outdated sales."""
    others = {row.pk: row.name for row in Dataset.objects.exclude(pk=dataset.pk if dataset else None)}
    counts = dict.fromkeys(others, 0)
    for run in failed_runs(list(others)):
        counts[run.dataset_version.dataset_id] += 1
    for version in current_by_dataset(others).values():
        counts[version.dataset_id] += is_stale((timezone.localdate() - version.last).days)
    return [
        OtherDataset(name, counts[pk], reverse_in_dataset(pk, "overview"))
        for pk, name in others.items()
        if counts[pk]
    ]


def failed_runs(datasets: Sequence[int]) -> list[TrainingRun]:
    """Failed trainings of these datasets, newest first, unless a later one of the same scope succeeded."""
    runs, state = TrainingRun.objects, TrainingRun.State
    same = {
        "dataset_version__dataset": OuterRef("dataset_version__dataset"),
        "kind": OuterRef("kind"),
        "code": OuterRef("code"),
    }
    later = runs.filter(state=state.DONE, created_at__gt=OuterRef("created_at"), **same)
    failed = runs.filter(~Exists(later), state=state.FAILED, dataset_version__dataset__in=datasets)
    return list(failed.select_related("dataset_version").order_by("-created_at"))


def failed_run_item(run: TrainingRun) -> AttentionItem:
    """The item of a failed training."""
    words = {
        "method": algorithm_label(run.algorithm),
        "scope": scope_text(run.scope),
        "reason": run.error_text,
    }
    text = _("Training %(method)s for %(scope)s failed: %(reason)s") % words
    return AttentionItem("bad", _("Failed"), text, _("See why"), reverse("run", args=[run.pk]))


def off_target_items(checked: CheckedForecasts) -> list[AttentionItem]:
    """Forecasts whose days so far sold clearly more or less than expected; each part once, newest first."""
    found = {
        (forecast.version.model_id, forecast.store, forecast.product): off_target_item(forecast, since)
        for forecast, since in reversed(checked)
        if since and since.is_off_target
    }
    return list(found.values())[::-1][:MAX_OF_A_KIND]


def off_target_item(forecast: Forecast, since: ActualsSoFar) -> AttentionItem:
    """The item of one such forecast."""
    change = since.relative_change or 0.0
    words = {
        "what": capfirst(forecast_label(forecast)),
        "size": format_percent(abs(change), 0),
        "days": since.days,
    }
    if change > 0:
        text = _("%(what)s: sales were %(size)s higher than forecast over %(days)s days.") % words
    else:
        text = _("%(what)s: sales were %(size)s lower than forecast over %(days)s days.") % words
    link = reverse("forecast-detail", args=[forecast.pk])
    return AttentionItem("bad", _("Off target"), text, _("See why"), link)


def level_items(items: Items) -> list[AttentionItem]:
    """Products whose sales moved away from the current forecast: the largest by name, the others counted."""
    moved = [item for item in items.get("products", []) if "level" in item.flags]
    if not moved:
        return []
    first, more = moved[0], len(moved) - 1
    _label, sentence = describe_level(first.flags["level"])
    text = f"{with_name(first.code, first.name)}: {sentence}"
    if more:
        others = ngettext("%(count)s more product as well.", "%(count)s more products as well.", more)
        text = f"{text} {others % {'count': format_whole_number(more)}}"
    return [
        AttentionItem("warn", _("Level changed"), text, _("See why"), f"{reverse('products')}?flag=level")
    ]


def stale_version_item(row: StaleVersion, user: Person) -> AttentionItem:
    """A version in use that has not learned the newest sales: one click trains it again."""
    words = {
        "title": row.version.title,
        "scope": scope_text(row.version.model.scope),
        "days": format_whole_number(row.newer_days),
    }
    text = ngettext(
        "%(title)s (%(scope)s) has not learned the newest %(days)s day of sales.",
        "%(title)s (%(scope)s) has not learned the newest %(days)s days of sales.",
        row.newer_days,
    )
    item = partial(AttentionItem, "warn", _("Model"), text % words)
    if row.run:
        return item(_("Training …"), reverse("run", args=[row.run.pk]))
    if user.has_perm("training.add_trainingrun"):
        return item(_("Retrain"), reverse("model-retrain", args=[row.version.pk]), is_post=True)
    return item(_("See why"), reverse("model", args=[row.version.pk]))


def stale_sales_items(dataset: Dataset, user: Person) -> list[AttentionItem]:
    """The item of a dataset whose newest sales are older than STALE_DAYS."""
    version = current_by_dataset([dataset.pk]).get(dataset.pk)
    age = (timezone.localdate() - version.last).days if version else 0
    if version is None or not is_stale(age):
        return []
    words = {"day": date_format(version.last), "days": format_whole_number(age)}
    text = ngettext(
        "Sales end on %(day)s (%(days)s day ago).", "Sales end on %(day)s (%(days)s days ago).", age
    )
    if user.has_perm("registry.add_datasetversion"):
        verb, link = _("Upload newer sales"), f"{reverse('upload')}?dataset={dataset.pk}"
    else:
        verb, link = _("See the data"), reverse("dataset", args=[dataset.pk])
    return [AttentionItem("warn", _("Data"), text % words, verb, link)]


def is_stale(age: int) -> bool:
    """Whether sales whose last day is so many days ago need newer ones."""
    return age > settings.STALE_DAYS
