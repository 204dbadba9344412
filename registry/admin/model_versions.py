"""Admin of datasets, models, their versions, what was deleted, and the audit."""

from __future__ import annotations

from django.contrib import admin
from django.forms import Script
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.admin.actions import ActingAdmin, Action, Asked
from registry.admin.artifact_actions import CURATE, KEEPING, Delete, is_ready
from registry.admin.base import HistoryAdmin, as_percent, pretty
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.tombstones import BY_HAND

CHARTS = [Script(name, defer=True) for name in ("chartjs/chart.js", "charts.js")]


class Promote(Action):
    name, label, permission, wants_reason = "promote", _("Put in use"), CURATE, True

    def plan(self, row: ModelVersion) -> str:
        is_ready(row)
        if row.is_best:
            raise ValueError(gettext("It is in use already."))
        best, verdict = row.model.best, row.verdict
        words = gettext("Nothing is in use yet for %(model)s.") % {"model": row.model}
        if best is not None:
            words = gettext("It takes the place of %(name)s.") % {"name": best}
        if verdict is not None and verdict.kind == verdict.Kind.KEPT_BACK:
            words = f"{words} {gettext('After its test it was not put in use:')} {verdict.sentence}"
        return words

    def do(self, row: ModelVersion, asked: Asked) -> None:
        row.promote(asked.reason, asked.by)


class RollBack(Action):
    name, label, permission = "roll_back", _("Go back to the version before"), CURATE

    def plan(self, row: ModelVersion) -> str:
        if not row.is_best:
            raise ValueError(gettext("It is not in use: choose the version that is."))
        before = row.model.previous_version
        if before is None:
            raise ValueError(gettext("There is no earlier version to go back to."))
        return gettext("%(name)s is in use again in its place.") % {"name": before}

    def do(self, row: ModelVersion, asked: Asked) -> None:
        row.model.roll_back(asked.by)


class DeleteVersion(Delete):
    permission = "registry.delete_modelversion"

    def do(self, row: ModelVersion, asked: Asked) -> None:
        row.retire(BY_HAND, asked.by)


@admin.register(ForecastModel)
class ForecastModelAdmin(HistoryAdmin):
    """Which version is best for each scope."""

    list_display = ("dataset", "kind", "code", "best")
    list_filter = ("kind", "dataset")
    search_fields = ("code", "dataset__name", "best__name")
    list_select_related = ("dataset", "best")
    exclude = ("numbers",)
    readonly_fields = ("numbers_text",)

    @admin.display(description=_("last number given, by algorithm"))
    def numbers_text(self, obj: ForecastModel) -> SafeString:
        return pretty(obj.numbers)


@admin.register(VersionChange)
class VersionChangeAdmin(HistoryAdmin):
    """Which version came into use, why, by whom."""

    list_display = ("at", "model", "name", "kind", "reason", "by")
    list_filter = ("kind", "model__dataset")
    search_fields = ("name", "text")
    date_hierarchy = "at"
    list_select_related = ("model__dataset", "by")
    exclude = ("text", "values")
    readonly_fields = ("reason",)

    @admin.display(description=_("reason"))
    def reason(self, obj: VersionChange) -> str:
        return obj.sentence


@admin.register(ModelVersion)
class ModelVersionAdmin(ActingAdmin):
    """Published results: put in use, pinned, archived, deleted with their files; each act asks first."""

    acts = [Promote(), RollBack(), *KEEPING, DeleteVersion()]
    change_form_template = "admin/registry/modelversion/change_form.html"
    list_display = ("name", "dataset", "in_use", "pinned", "error", "kept", "created_at", "created_by")
    list_filter = ("state", "pinned", "algorithm", "model__dataset", "model__kind")
    search_fields = ("name", "sha256")
    date_hierarchy = "created_at"
    list_select_related = ("model__dataset", "created_by")
    exclude = ("config", "metrics", "wape")
    readonly_fields = ("error", "archived_at", "config_text", "metrics_text")

    class Media:
        js = [*CHARTS, Script("backtest-chart.js", defer=True)]

    @admin.display(description=_("dataset"))
    def dataset(self, obj: ModelVersion) -> str:
        return str(obj.model.dataset)

    @admin.display(description=_("in use"), boolean=True)
    def in_use(self, obj: ModelVersion) -> bool:
        return obj.is_best

    @admin.display(description=_("error"), ordering="wape")
    def error(self, obj: ModelVersion) -> str:
        return as_percent(obj.wape)

    @admin.display(description=_("file"), ordering="archived_at")
    def kept(self, obj: ModelVersion) -> str:
        return obj.whereabouts

    @admin.display(description=_("settings"))
    def config_text(self, obj: ModelVersion) -> SafeString:
        return pretty(obj.config)

    @admin.display(description=_("test results"))
    def metrics_text(self, obj: ModelVersion) -> SafeString:
        return pretty(obj.metrics)
