"""Versions best first, then failed trainings: one list to page through, filtered by the address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from registry.datasets.models import Dataset
from registry.datasets.scope import SCOPE_KINDS
from registry.lib.export import Column, Table
from registry.lib.messages import translate_message
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun


class Leaderboard:
    """Acts as a sequence for the paginator, so that only the page's rows are read."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.query_params = given
        self.versions = self.apply_filters(
            ModelVersion.objects.ready().select_related("model__dataset", "model__best").best_first(),
            dataset="model__dataset",
            kind="model__kind",
            search=("name", "model__code"),
        )
        self.failed_runs = self.apply_filters(
            TrainingRun.objects.filter(state=TrainingRun.State.FAILED).select_related(
                "dataset_version__dataset"
            ),
            dataset="dataset_version__dataset",
            kind="kind",
            search=("code", "algorithm", "error"),
        )
        if self.state_filter == "ready":
            self.failed_runs = self.failed_runs.none()
        elif self.state_filter == "failed":
            self.versions = self.versions.none()

    def apply_filters(
        self, rows: QuerySet[Any], dataset: str, kind: str, search: tuple[str, ...]
    ) -> QuerySet[Any]:
        """Applies what the address asks for; nonsense in the address is ignored."""
        if self.filter_text("dataset").isdigit():
            rows = rows.filter(**{dataset: int(self.filter_text("dataset"))})
        if self.filter_text("kind") in SCOPE_KINDS:
            rows = rows.filter(**{kind: self.filter_text("kind")})
        if self.filter_text("method"):
            rows = rows.filter(algorithm=self.filter_text("method"))
        if self.filter_text("q"):
            words = [Q(**{f"{field}__icontains": self.filter_text("q")}) for field in search]
            rows = rows.filter(Q(*words, _connector=Q.OR))
        return rows

    def filter_text(self, name: str) -> str:
        """A filter's text without spaces around it."""
        return self.query_params.get(name, "").strip()

    @property
    def state_filter(self) -> str:
        return self.filter_text("state")

    @property
    def filters(self) -> dict[str, str]:
        """The filters as the page shows them."""
        return {name: self.filter_text(name) for name in ("q", "dataset", "kind", "method", "state")}

    @property
    def datasets(self) -> QuerySet[Dataset]:
        return Dataset.objects.all()

    @property
    def method_choices(self) -> list[tuple[str, Any]]:
        """What the algorithms folder holds. Imported late: it pulls torch."""
        from registry import algorithms

        return list(algorithms.list_choices())

    def __len__(self) -> int:
        return self.versions.count() + self.failed_runs.count()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self[0 : len(self)])

    def __getitem__(self, part: Any) -> Any:
        ready = self.versions.count()
        start, stop = part.start or 0, part.stop
        rows = [{"version": version} for version in self.versions[start:stop]]
        later = self.failed_runs[max(0, start - ready) : max(0, stop - ready)]
        return rows + [{"run": run} for run in later]

    def build_export_table(self) -> Table:
        """The whole list for export: versions with their results, then failed trainings with the reason."""
        columns = [
            Column(_("Name")),
            Column(_("Method")),
            Column(_("Dataset")),
            Column(_("Learned")),
            Column(_("Error"), "share"),
            Column(_("Leans (plus = high)"), "share"),
            Column(_("In range (80%)"), "share"),
            Column(_("Better than last week"), "share"),
            Column(_("Trained"), "day"),
            Column(_("State")),
        ]
        return Table(_("Models"), columns, [self.build_export_row(row) for row in self])

    def build_export_row(self, row: dict[str, Any]) -> list[Any]:
        """One row of the export."""
        labels = dict(self.method_choices)
        if run := row.get("run"):
            place = [str(run), labels.get(run.algorithm, run.algorithm), run.dataset_version.dataset.name]
            return [
                *place,
                str(run.scope),
                None,
                None,
                None,
                None,
                run.created_at,
                translate_message(run.error),
            ]
        version: ModelVersion = row["version"]
        metrics, method = version.metrics, labels.get(version.algorithm, version.algorithm)
        naive = (metrics.get("seasonal_naive") or {}).get("wape")
        gain = 1 - version.wape / naive if naive and version.wape is not None else None
        state = _("In use") if version.is_best else _("Ready")
        results = [version.wape, metrics.get("bias"), (metrics.get("coverage") or {}).get("80"), gain]
        place = [version.name, method, version.model.dataset.name, str(version.model.scope)]
        return [*place, *results, version.created_at, state]
