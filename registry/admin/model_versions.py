"""Admin of models, their versions and which of them were in use."""

from __future__ import annotations

from django.contrib import admin
from django.forms import Script
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.artifact_actions import ARTIFACT_ACTIONS, CURATE_PERMISSION, DeleteArtifact, require_ready
from registry.admin.base import ReadOnlyAdmin, format_json, yes_or_dash
from registry.admin.file_columns import ARCHIVABLE_FIELDS, ArchivableColumns
from registry.admin.value_labels import AlgorithmFilter, ScopeFilter
from registry.labels import algorithm_label, scope_text
from registry.lib.formatting import format_duration, format_percent
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.tombstones import BY_HAND

CHART_SCRIPTS = [Script(name, defer=True) for name in ("chartjs/chart.js", "charts/base.js")]


class PromoteVersion(Action):
    """Puts a version in use."""

    name, label, permission, needs_reason = "promote", _("Use this version"), CURATE_PERMISSION, True

    def preview(self, row: ModelVersion) -> str:
        require_ready(row)
        if row.is_best:
            raise ValueError(gettext("It is already in use."))
        best, verdict = row.model.best, row.gate_decision
        words = gettext("No version for %(scope)s is in use yet.") % {"scope": scope_text(row.model.scope)}
        if best is not None:
            words = gettext("It will replace %(name)s.") % {"name": best}
        if verdict is not None and verdict.kind == verdict.Kind.REJECTED:
            why = gettext("It was not put in use after its test:")
            words = f"{words} {why} {verdict.reason_text}"
        return words

    def check_selection(self, row: ModelVersion, rows: list[ModelVersion]) -> None:
        rivals = [one for one in rows if one.model_id == row.model_id and not one.is_best]
        if len(rivals) > 1:
            raise ValueError(gettext("Only one version of a model can be in use: select one of them."))

    def execute(self, row: ModelVersion, confirmation: Confirmation) -> None:
        row.promote(confirmation.reason, confirmation.by)


class RollBackVersion(Action):
    """Puts the previous version in use again."""

    name, label, permission = "roll_back", _("Roll back to the previous version"), CURATE_PERMISSION

    def preview(self, row: ModelVersion) -> str:
        if not row.is_best:
            raise ValueError(gettext("It is not in use: select the version that is."))
        before = row.model.previous_version
        if before is None:
            raise ValueError(gettext("There is no earlier version to go back to."))
        return gettext("%(name)s will be in use again instead.") % {"name": before}

    def execute(self, row: ModelVersion, confirmation: Confirmation) -> None:
        row.model.roll_back(row, confirmation.by)


class DeleteVersion(DeleteArtifact):
    """Deletes a version with its file and its forecasts."""

    permission = "registry.delete_modelversion"

    def execute(self, row: ModelVersion, confirmation: Confirmation) -> None:
        row.delete_with_files(BY_HAND, confirmation.by)


@admin.register(ForecastModel)
class ForecastModelAdmin(ReadOnlyAdmin):
    """The version in use for each scope."""

    list_display = ("scope_label", "dataset", "best")
    list_filter = (("kind", ScopeFilter), "dataset")
    search_fields = ("code", "dataset__name", "best__name")
    list_select_related = ("dataset", "best")
    fields = ("dataset", "scope_label", "best", "numbers_text")
    readonly_fields = ("scope_label", "numbers_text")

    def get_row_title(self, row: ForecastModel) -> str:
        return f"{row.dataset} · {scope_text(row.scope)}"

    @admin.display(description=_("scope"), ordering="kind")
    def scope_label(self, obj: ForecastModel) -> str:
        return scope_text(obj.scope)

    @admin.display(description=_("last number given, by algorithm"))
    def numbers_text(self, obj: ForecastModel) -> SafeString:
        return format_json(obj.numbers)


@admin.register(VersionChange)
class VersionChangeAdmin(ReadOnlyAdmin):
    """Which version was put in use, why and by whom."""

    list_display = ("at", "name", "model_label", "kind", "reason_text", "by")
    list_filter = ("kind", "model__dataset")
    search_fields = ("name", "text")
    date_hierarchy = "at"
    list_select_related = ("model__dataset", "by")
    fields = ("at", "model_label", "version", "previous", "kind", "reason_text", "by")
    readonly_fields = ("model_label", "reason_text")

    @admin.display(description=_("model"), ordering="model")
    def model_label(self, obj: VersionChange) -> str:
        return f"{obj.model.dataset} · {scope_text(obj.model.scope)}"

    @admin.display(description=_("reason"))
    def reason_text(self, obj: VersionChange) -> str:
        return obj.reason_text


@admin.register(ModelVersion)
class ModelVersionAdmin(ArchivableColumns, ActionAdmin):
    """Model versions with actions to put in use, pin, archive and delete."""

    row_actions = [PromoteVersion(), RollBackVersion(), *ARTIFACT_ACTIONS, DeleteVersion()]
    change_form_template = "admin/registry/modelversion/change_form.html"
    list_display = (
        "name",
        "dataset_name",
        "is_in_use",
        "pinned_text",
        "wape_text",
        "file_location",
        "created_at",
        "created_by",
    )
    list_filter = (
        "state",
        "pinned",
        ("algorithm", AlgorithmFilter),
        "model__dataset",
        ("model__kind", ScopeFilter),
    )
    search_fields = ("name", "sha256")
    date_hierarchy = "created_at"
    list_select_related = ("model__dataset", "created_by")
    fieldsets = (
        (None, {"fields": ("name", "scope_label", "algorithm_text", "is_in_use", "state", "wape_text")}),
        (
            _("Training"),
            {"fields": ("dataset_version", "horizon", "seconds_text", "seed", "created_at", "created_by")},
        ),
        (_("Settings and test results"), {"fields": ("config_text", "metrics_text")}),
        ARCHIVABLE_FIELDS,
    )
    readonly_fields = (
        "scope_label",
        "algorithm_text",
        "is_in_use",
        "wape_text",
        "seconds_text",
        "config_text",
        "metrics_text",
        "pinned_text",
        "file_location",
        "file_path",
        "size_text",
        "archived_at",
    )

    class Media:
        js = [*CHART_SCRIPTS, Script("charts/backtest.js", defer=True)]

    @admin.display(description=_("dataset"))
    def dataset_name(self, obj: ModelVersion) -> str:
        return str(obj.model.dataset)

    @admin.display(description=_("scope"))
    def scope_label(self, obj: ModelVersion) -> str:
        return f"{obj.model.dataset} · {scope_text(obj.model.scope)}"

    @admin.display(description=_("method"))
    def algorithm_text(self, obj: ModelVersion) -> str:
        return algorithm_label(obj.algorithm)

    @admin.display(description=_("training time"))
    def seconds_text(self, obj: ModelVersion) -> str:
        return format_duration(obj.seconds)

    @admin.display(description=_("in use"))
    def is_in_use(self, obj: ModelVersion) -> str:
        return yes_or_dash(obj.is_best)

    @admin.display(description=_("error"), ordering="wape")
    def wape_text(self, obj: ModelVersion) -> str:
        return format_percent(obj.wape)

    @admin.display(description=_("settings"))
    def config_text(self, obj: ModelVersion) -> SafeString:
        return format_json(obj.config)

    @admin.display(description=_("test results"))
    def metrics_text(self, obj: ModelVersion) -> SafeString:
        return format_json(obj.metrics)
