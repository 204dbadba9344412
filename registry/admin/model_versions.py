"""Admin of models, their versions and which of them were in use."""

from __future__ import annotations

from django.contrib import admin
from django.forms import Script
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.artifact_actions import ARTIFACT_ACTIONS, CURATE_PERMISSION, DeleteArtifact, require_ready
from registry.admin.base import ReadOnlyAdmin, format_json
from registry.lib.formatting import format_percent
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.tombstones import BY_HAND

CHART_SCRIPTS = [Script(name, defer=True) for name in ("chartjs/chart.js", "charts/base.js")]


class PromoteVersion(Action):
    """Puts a version in use."""

    name, label, permission, needs_reason = "promote", _("Put in use"), CURATE_PERMISSION, True

    def preview(self, row: ModelVersion) -> str:
        require_ready(row)
        if row.is_best:
            raise ValueError(gettext("It is already in use."))
        best, verdict = row.model.best, row.gate_decision
        words = gettext("No version of %(model)s is in use yet.") % {"model": row.model}
        if best is not None:
            words = gettext("It will replace %(name)s.") % {"name": best}
        if verdict is not None and verdict.kind == verdict.Kind.REJECTED:
            words = f"{words} {gettext('It was not put in use after its test:')} {verdict.reason_text}"
        return words

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

    list_display = ("dataset", "kind", "code", "best")
    list_filter = ("kind", "dataset")
    search_fields = ("code", "dataset__name", "best__name")
    list_select_related = ("dataset", "best")
    exclude = ("numbers",)
    readonly_fields = ("numbers_text",)

    @admin.display(description=_("last number given, by algorithm"))
    def numbers_text(self, obj: ForecastModel) -> SafeString:
        return format_json(obj.numbers)


@admin.register(VersionChange)
class VersionChangeAdmin(ReadOnlyAdmin):
    """Which version was put in use, why and by whom."""

    list_display = ("at", "model", "name", "kind", "reason_text", "by")
    list_filter = ("kind", "model__dataset")
    search_fields = ("name", "text")
    date_hierarchy = "at"
    list_select_related = ("model__dataset", "by")
    exclude = ("text", "values")
    readonly_fields = ("reason_text",)

    @admin.display(description=_("reason"))
    def reason_text(self, obj: VersionChange) -> str:
        return obj.reason_text


@admin.register(ModelVersion)
class ModelVersionAdmin(ActionAdmin):
    """Model versions with actions to put in use, pin, archive and delete."""

    row_actions = [PromoteVersion(), RollBackVersion(), *ARTIFACT_ACTIONS, DeleteVersion()]
    change_form_template = "admin/registry/modelversion/change_form.html"
    list_display = (
        "name",
        "dataset_name",
        "is_in_use",
        "pinned",
        "wape_text",
        "file_location",
        "created_at",
        "created_by",
    )
    list_filter = ("state", "pinned", "algorithm", "model__dataset", "model__kind")
    search_fields = ("name", "sha256")
    date_hierarchy = "created_at"
    list_select_related = ("model__dataset", "created_by")
    exclude = ("config", "metrics", "wape")
    readonly_fields = ("wape_text", "archived_at", "config_text", "metrics_text")

    class Media:
        js = [*CHART_SCRIPTS, Script("charts/backtest.js", defer=True)]

    @admin.display(description=_("dataset"))
    def dataset_name(self, obj: ModelVersion) -> str:
        return str(obj.model.dataset)

    @admin.display(description=_("in use"), boolean=True)
    def is_in_use(self, obj: ModelVersion) -> bool:
        return obj.is_best

    @admin.display(description=_("error"), ordering="wape")
    def wape_text(self, obj: ModelVersion) -> str:
        return format_percent(obj.wape)

    @admin.display(description=_("file"), ordering="archived_at")
    def file_location(self, obj: ModelVersion) -> str:
        return obj.location_label

    @admin.display(description=_("settings"))
    def config_text(self, obj: ModelVersion) -> SafeString:
        return format_json(obj.config)

    @admin.display(description=_("test results"))
    def metrics_text(self, obj: ModelVersion) -> SafeString:
        return format_json(obj.metrics)
