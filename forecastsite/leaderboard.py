"""The list of models: filters from the address, ready versions best first, failed trainings, the export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.datasets.models import Dataset
from registry.labels import algorithm_label, interval_coverage, skill_score
from registry.lib.export import Column, Table
from registry.lib.form_fields import RowChoiceField
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

KINDS = [
    ("", _("Any")),
    ("global", _("Everything")),
    ("store", _("One store")),
    ("product", _("One product")),
]
STATES = [("", _("Any")), ("ready", _("Ready")), ("failed", _("Failed"))]


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
    dataset = RowChoiceField(Dataset.objects.all(), label=_("Dataset"), required=False, empty_label=_("Any"))
    kind = forms.ChoiceField(label=_("Scope"), required=False, choices=KINDS)
    method = AlgorithmField(label=_("Method"), required=False, choices=method_choices)
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)

    def full_clean(self) -> None:
        super().full_clean()
        self._errors = forms.utils.ErrorDict()

    def list_versions(self) -> QuerySet[ModelVersion]:
        """Ready versions that pass the filters, smallest error first."""
        versions = ModelVersion.objects.ready().select_related("model__dataset", "model__best").best_first()
        if self.is_valid() and self.cleaned_data.get("state") == "failed":
            return versions.none()
        return self._filter(versions, "model__dataset", "model__kind", ("name", "model__code"))

    def list_failed_runs(self) -> QuerySet[TrainingRun]:
        """Failed trainings that pass the filters, newest first."""
        runs = TrainingRun.objects.filter(state=TrainingRun.State.FAILED)
        if self.is_valid() and self.cleaned_data.get("state") == "ready":
            return runs.none()
        runs = runs.select_related("dataset_version__dataset")
        return self._filter(runs, "dataset_version__dataset", "kind", ("code", "algorithm", "error"))

    def _filter(self, rows: QuerySet[Any], dataset: str, kind: str, search: tuple[str, ...]) -> QuerySet[Any]:
        """Rows that pass; `dataset` and `kind` are lookups, `search` the fields that `q` looks in."""
        given = self.cleaned_data
        lookups = {dataset: given.get("dataset"), kind: given.get("kind"), "algorithm": given.get("method")}
        rows = rows.filter(**{lookup: value for lookup, value in lookups.items() if value})
        if words := given.get("q"):
            rows = rows.filter(Q(*((f"{field}__icontains", words) for field in search), _connector=Q.OR))
        return rows


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
        Column(gettext("Better than last week"), "share"),
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
