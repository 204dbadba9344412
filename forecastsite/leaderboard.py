"""The models of a dataset: filters and order from the address, ranked inside each scope, the export."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django import forms
from django.db.models import F, OrderBy, Q, QuerySet, Value, Window
from django.db.models.functions import Abs, NullIf, Rank
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.datasets.models import Dataset
from registry.datasets.scope import Scope
from registry.labels import algorithm_label, interval_coverage, skill_score
from registry.lib.tables import Column, Table
from registry.model_versions.json_number import JsonNumber
from registry.model_versions.metric_labels import LABEL_BY_METRIC
from registry.model_versions.models import ModelVersion
from registry.model_versions.staleness import with_newest_days
from training.models import TrainingRun

KINDS = [
    ("", _("Any")),
    ("global", _("All products, all stores")),
    ("store", _("One store")),
    ("product", _("One product")),
]
STATES = [("", _("Any")), ("ready", _("Ready")), ("failed", _("Failed"))]
# What sorts the versions of a scope, the best first; from the address, with a minus the other way round.
SORTS: dict[str, Any] = {
    "name": F("name"),
    "error": F("wape"),
    "bias": Abs(JsonNumber("metrics", "bias")),
    "range": Abs(JsonNumber("metrics", "coverage", "80") - Value(0.8)),
    "naive": F("wape") / NullIf(JsonNumber("metrics", "seasonal_naive", "wape"), Value(0.0)),
    "trained": F("created_at"),
}
HEADINGS = {"name": _("Model"), "trained": _("Trained")}
METRICS = {"error": "wape", "bias": "bias", "range": "coverage.80", "naive": "gain"}
DEFAULT_SORT = "error"
NEWEST_FIRST = {"trained"}


def method_choices() -> list[tuple[str, Any]]:
    """Every algorithm by its label."""
    from registry import algorithms  # pulls in torch, which few pages need

    return [("", gettext("Any")), *((name, gettext(label)) for name, label in algorithms.list_choices())]


class AlgorithmField(forms.ChoiceField):
    """Accepts any name, because versions outlive the file of their algorithm."""

    def valid_value(self, value: Any) -> bool:
        return True


class ModelFilterForm(forms.Form):
    """Filters of the list; an unknown value in the address filters nothing."""

    q = forms.CharField(label=_("Name or code"), required=False, widget=forms.SearchInput)
    kind = forms.ChoiceField(label=_("Scope"), required=False, choices=KINDS)
    method = AlgorithmField(label=_("Method"), required=False, choices=method_choices)
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)

    def __init__(self, dataset: Dataset | None, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.dataset = dataset

    def full_clean(self) -> None:
        super().full_clean()
        self._errors = forms.utils.ErrorDict()

    @property
    def sort(self) -> str:
        """The column that sorts, with a minus for the other way round."""
        asked: str = self.data.get("sort", "")
        return asked if asked.removeprefix("-") in SORTS else DEFAULT_SORT

    def list_versions(self) -> QuerySet[ModelVersion]:
        """Ready versions that pass the filters, scope by scope; `rank` is their place by error in it."""
        versions = with_newest_days(
            ModelVersion.objects.ready().select_related("model__dataset", "model__best")
        )
        if self.is_valid() and self.cleaned_data.get("state") == "failed":
            return versions.none()
        found = self._filter(versions, "model__dataset", "model__kind", ("name", "model__code"))
        rank = Window(Rank(), partition_by=F("model"), order_by=F("wape").asc(nulls_last=True))
        order = ("model__kind", "model__code", sort_key(self.sort), "-created_at")
        ranked: QuerySet[ModelVersion] = found.annotate(rank=rank).order_by(*order)
        return ranked

    def list_failed_runs(self) -> QuerySet[TrainingRun]:
        """Failed trainings that pass the filters, newest first."""
        runs = TrainingRun.objects.filter(state=TrainingRun.State.FAILED)
        if self.is_valid() and self.cleaned_data.get("state") == "ready":
            return runs.none()
        runs = runs.select_related("dataset_version__dataset", "version")
        return self._filter(runs, "dataset_version__dataset", "kind", ("code", "algorithm", "error"))

    def _filter(self, rows: QuerySet[Any], dataset: str, kind: str, search: tuple[str, ...]) -> QuerySet[Any]:
        """Rows that pass; `dataset` and `kind` are lookups, `search` the fields that `q` looks in."""
        given = self.cleaned_data
        lookups = {kind: given.get("kind"), "algorithm": given.get("method")}
        rows = rows.filter(**{dataset: self.dataset})
        rows = rows.filter(**{lookup: value for lookup, value in lookups.items() if value})
        if words := given.get("q"):
            rows = rows.filter(Q(*((f"{field}__icontains", words) for field in search), _connector=Q.OR))
        return rows


def sort_key(sort: str) -> OrderBy:
    """The expression of a column that sorts; what is not known comes last either way."""
    return OrderBy(SORTS[sort.removeprefix("-")], descending=is_descending(sort), nulls_last=True)


def is_descending(sort: str) -> bool:
    """Whether a sort begins with the largest value.

    >>> is_descending("error"), is_descending("-error"), is_descending("trained")
    (False, True, True)
    """
    return sort.startswith("-") != (sort.removeprefix("-") in NEWEST_FIRST)


def list_columns(sort: str) -> list[dict[str, Any]]:
    """The columns that sort: heading, how the list is sorted now, and what the address says to sort by it."""
    direction = "descending" if is_descending(sort) else "ascending"
    return [
        {
            "metric": LABEL_BY_METRIC.get(METRICS.get(name, "")),
            "label": HEADINGS.get(name),
            "next": f"-{name}" if sort == name else name,
            "direction": direction if sort.removeprefix("-") == name else "",
        }
        for name in SORTS
    ]


def group_by_scope(versions: Iterable[ModelVersion]) -> list[tuple[Scope, list[ModelVersion]]]:
    """Each scope with its versions, in the order of the list."""
    groups = groupby(versions, key=lambda version: version.model.scope)
    return [(scope, list(found)) for scope, found in groups]


def build_export_table(versions: Iterable[ModelVersion], failed_runs: Iterable[TrainingRun]) -> Table:
    """The whole list: versions with their results, then failed trainings with the reason."""
    columns = [
        Column(gettext("Name")),
        Column(gettext("Method")),
        Column(gettext("Dataset")),
        Column(gettext("Scope")),
        Column(gettext("Error"), "share"),
        Column(gettext("Bias (plus = too high)"), "share"),
        Column(gettext("In range (80%)"), "share"),
        Column(gettext("vs. repeating last week (plus = better)"), "share"),
        Column(gettext("Trained"), "day"),
        Column(gettext("State")),
    ]
    rows = [*map(version_row, versions), *map(failed_run_row, failed_runs)]
    return Table(gettext("Models"), columns, rows)


def version_row(version: ModelVersion) -> list[Any]:
    """A version in the export."""
    metrics, model = version.metrics, version.model
    return [
        version.name,
        algorithm_label(version.algorithm),
        model.dataset.name,
        str(model.scope),
        version.wape,
        metrics.get("bias"),
        interval_coverage(metrics, "80"),
        skill_score(metrics),
        version.created_at,
        gettext("In use") if version.is_best else gettext("Ready"),
    ]


def failed_run_row(run: TrainingRun) -> list[Any]:
    """A failed training in the export."""
    place = [str(run), algorithm_label(run.algorithm), run.dataset_version.dataset.name, str(run.scope)]
    return [*place, None, None, None, None, run.created_at, run.error_text]
