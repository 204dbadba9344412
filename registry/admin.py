"""Admin of datasets, models, their versions, what was deleted, and the audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.forms import Script
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from registry.actions import ActingAdmin
from registry.audit import AuditEntry
from registry.backstage import HistoryAdmin, QuickAdmin, as_percent, pretty
from registry.catalogue_views import download, written
from registry.deeds import KEEPING, DeleteData, DeleteVersion, Promote, RollBack
from registry.export import plain
from registry.history import VersionChange
from registry.models import Dataset, DatasetVersion, ForecastModel, ModelVersion, Tombstone
from registry.rights import insist
from registry.tombstones import rule_text

BATCH = 1_000
CHARTS = [Script(name, defer=True) for name in ("chartjs/chart.js", "charts.js")]


@admin.register(Dataset)
class DatasetAdmin(QuickAdmin):
    """Name and country may be put right; the content lives in versions."""

    list_display = ("name", "country", "created_at", "created_by")
    list_filter = ("country",)
    search_fields = ("name",)
    date_hierarchy = "created_at"
    list_select_related = ("created_by",)
    readonly_fields = ("created_at", "created_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Dataset | None = None) -> bool:
        return False


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ActingAdmin):
    """What was imported, when and by whom; versions that models learned from stay."""

    acts = [DeleteData()]
    list_display = ("__str__", "state", "rows", "series", "first", "last", "created_at", "created_by")
    list_filter = ("state", "dataset")
    search_fields = ("dataset__name", "content_hash")
    date_hierarchy = "created_at"
    list_select_related = ("dataset", "created_by")
    exclude = ("stores", "products", "roles", "findings", "reading")
    readonly_fields = ("roles_text", "findings_text", "reading_text")

    @admin.display(description=_("roles of extra columns"))
    def roles_text(self, obj: DatasetVersion) -> SafeString:
        return pretty(obj.roles)

    @admin.display(description=_("findings of the check"))
    def findings_text(self, obj: DatasetVersion) -> SafeString:
        return pretty(obj.findings)

    @admin.display(description=_("how the file was read"))
    def reading_text(self, obj: DatasetVersion) -> SafeString:
        return pretty(obj.reading)


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


@admin.register(Tombstone)
class TombstoneAdmin(HistoryAdmin):
    """What was deleted, by which rule, when, where it was, by whom."""

    list_display = ("name", "kind", "why", "size", "place", "at", "by")
    list_filter = ("kind", "rule")
    search_fields = ("name", "id", "sha256")
    date_hierarchy = "at"
    list_select_related = ("by",)

    @admin.display(description=_("rule"), ordering="rule")
    def why(self, obj: Tombstone) -> str:
        return rule_text(obj.rule)


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


@admin.register(AuditEntry)
class AuditAdmin(HistoryAdmin):
    """Who did what, when and why; also as CSV, filtered as it is shown."""

    change_list_template = "admin/registry/auditentry/change_list.html"
    list_display = ("at", "person_text", "act", "kind", "name", "why")
    list_filter = ("act", "kind")
    search_fields = ("who", "name", "key", "why")
    date_hierarchy = "at"

    @admin.display(description=_("who"), ordering="who")
    def person_text(self, obj: AuditEntry) -> str:
        return obj.who or "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.as_csv)
        return [path("csv/", view, name="registry_auditentry_csv"), *super().get_urls()]

    def as_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All lines that the filters leave, a batch at a time."""
        insist(self.has_view_permission(request), "registry.view_auditentry")
        rows = self.get_changelist_instance(request).get_queryset(request)
        return download(map(written, self.batches(rows)), "audit.csv")

    def batches(self, rows: Any) -> Iterable[list[list[Any]]]:
        """Headings, then lines, as text and times without formulas."""
        names = ("at", "who", "act", "kind", "key", "name", "why")
        yield [list(names)]
        for row in cast(Iterable[tuple[Any, ...]], rows.values_list(*names).iterator(BATCH)):
            yield [[plain(value) for value in row]]
