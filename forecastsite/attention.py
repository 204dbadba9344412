"""What needs attention in a dataset, worst first, each with the one thing to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forecastsite.automation.page import list_troubles
from prediction.accuracy.alerts import list_open
from prediction.accuracy.so_far import ActualsSoFar
from prediction.accuracy.wording import alert_sentence
from prediction.current_forecast import Items
from prediction.items.wording import describe_level
from prediction.models import Forecast
from prediction.trust import join
from registry.access.permissions import Person
from registry.datasets.addresses import reverse_in_dataset
from registry.datasets.models import Dataset, newest_day
from registry.labels import algorithm_label, forecast_label, scope_text, with_name
from registry.lib.formatting import format_percent, format_whole_number
from registry.model_versions.activation import ReplacedChoice, list_replaced_choices
from registry.model_versions.staleness import StaleVersion, list_stale_in_use
from training.models import TrainingRun

MAX_OF_A_KIND = 3
MAX_OPEN_RUNS = 200
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


@dataclass(frozen=True)
class Watched:
    """What is looked at: failed trainings, newest forecasts with what was sold since, products and stores."""

    failed: Sequence[TrainingRun]
    checked: CheckedForecasts
    items: Items


def attention_items(dataset: Dataset, watched: Watched, user: Person) -> list[AttentionItem]:
    """Everything that needs attention in this dataset; nothing while somebody has paused it."""
    if dataset.is_paused:
        return []
    failed = [failed_run_item(run) for run in watched.failed[:MAX_OF_A_KIND]]
    stale = [stale_version_item(row, user) for row in list_stale_in_use(dataset)[:MAX_OF_A_KIND]]
    off = [*drift_items(dataset), *off_target_items(watched.checked), *level_items(watched.items)]
    replaced = [replaced_choice_item(row) for row in list_replaced_choices(dataset)]
    itself = automation_items(dataset)
    return [*failed, *itself, *off, *stale, *replaced[:MAX_OF_A_KIND], *stale_sales_items(dataset, user)]


def list_other_datasets(
    datasets: Sequence[Dataset], chosen: Dataset, runs: Sequence[TrainingRun]
) -> list[OtherDataset]:
    """Datasets that the page is not about, with failed trainings or outdated sales; no paused ones."""
    counts = Counter(run.dataset_version.dataset_id for run in runs if run.has_ended)
    today = timezone.localdate()
    for row in datasets:
        newest = getattr(row, "newest_day", None)
        counts[row.pk] += newest is not None and is_stale((today - newest).days)
    others = [row for row in datasets if row.pk != chosen.pk and not row.is_paused and counts[row.pk]]
    return [OtherDataset(row.name, counts[row.pk], reverse_in_dataset(row.pk, "overview")) for row in others]


def list_datasets() -> list[Dataset]:
    """Every dataset with its `newest_day`, None without sales."""
    return list(Dataset.objects.annotate(newest_day=newest_day("pk")))


def list_open_runs() -> list[TrainingRun]:
    """Trainings of all datasets that wait, run, or failed without a later success in their scope."""
    runs, state = TrainingRun.objects, TrainingRun.State
    same = {
        "dataset_version__dataset": OuterRef("dataset_version__dataset"),
        "kind": OuterRef("kind"),
        "code": OuterRef("code"),
    }
    later = runs.filter(state=state.DONE, created_at__gt=OuterRef("created_at"), **same)
    is_active = ~Q(state__in=TrainingRun.ENDED_STATES)
    found = runs.filter(is_active | Q(~Exists(later), state=state.FAILED))
    return list(found.select_related("dataset_version__dataset").order_by("-created_at")[:MAX_OPEN_RUNS])


def failed_run_item(run: TrainingRun) -> AttentionItem:
    """The item of a failed training."""
    words = {
        "method": algorithm_label(run.algorithm),
        "scope": scope_text(run.scope),
        "reason": run.error_text,
    }
    text = _("Training %(method)s for %(scope)s failed: %(reason)s") % words
    return AttentionItem("bad", _("Failed"), text, _("See why"), reverse("run", args=[run.pk]))


def automation_items(dataset: Dataset) -> list[AttentionItem]:
    """Files that sources hold for a curator, and schedules whose last run failed."""
    items = []
    for row in list_troubles(dataset)[:MAX_OF_A_KIND]:
        badge, text = _("Failed"), _("The last run of the schedule %(name)s failed.")
        if row.page == "source":
            badge, text = (
                _("Held"),
                ngettext(
                    "%(name)s: %(count)s file waits for you.",
                    "%(name)s: %(count)s files wait for you.",
                    row.count,
                ),
            )
        words = {"name": row.name, "count": row.count}
        items.append(AttentionItem("bad", badge, text % words, _("See why"), row.address))
    return items


def drift_items(dataset: Dataset) -> list[AttentionItem]:
    """Alerts that nobody has acknowledged."""
    return [
        AttentionItem(
            "bad",
            _("Drift"),
            alert_sentence(alert, dataset),
            _("Show the days"),
            f"{reverse('accuracy')}#alerts",
        )
        for alert in list_open(dataset)[:MAX_OF_A_KIND]
    ]


def off_target_items(checked: CheckedForecasts) -> list[AttentionItem]:
    """Forecasts whose days so far sold clearly more or less than expected; each part once, newest first."""
    found = {
        (forecast.version.model_id, forecast.selection): off_target_item(forecast, since)
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
    text = _("%(what)s: %(sentence)s") % {"what": with_name(first.code, first.name), "sentence": sentence}
    if more:
        others = ngettext("%(count)s more product as well.", "%(count)s more products as well.", more)
        text = join(text, others % {"count": format_whole_number(more)})
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


def replaced_choice_item(row: ReplacedChoice) -> AttentionItem:
    """A version that somebody put in use and that a training has replaced."""
    words = {
        "new": row.change.version.title if row.change.version else row.change.name,
        "old": row.choice.version.title if row.choice.version else row.choice.name,
        "by": row.choice.by or _("somebody"),
        "reason": row.choice.text,
    }
    text = _("%(new)s has replaced %(old)s, which %(by)s had put in use: “%(reason)s”.") % words
    link = reverse("model", args=[row.change.version_id])
    return AttentionItem("warn", _("Model"), text, _("See why"), link)


def stale_sales_items(dataset: Dataset, user: Person) -> list[AttentionItem]:
    """The item of a dataset whose newest sales are older than STALE_DAYS."""
    version = dataset.current_version
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
