"""Admin of datasets, models and their versions: look, search, delete with files; history is read-only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from registry.history import VersionChange
from registry.models import Dataset, DatasetVersion, ForecastModel, ModelVersion, Tombstone
from registry.tombstones import rule_text

if TYPE_CHECKING:
    RowAdmin = admin.ModelAdmin[Any]
else:  # only the stubs know the type parameter
    RowAdmin = admin.ModelAdmin


def pretty(value: Any) -> SafeString:
    """JSON a person can read."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def as_percent(value: float | None) -> str:
    """A share with one decimal."""
    return "–" if value is None else f"{value:.1%}"


class HistoryAdmin(RowAdmin):
    """Rows that the product writes: people may look, and delete where `deletable` says so."""

    deletable = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.deletable and super().has_delete_permission(request, obj)


class ArtifactAdmin(HistoryAdmin):
    """Rows that own a file: deleting the row takes the file along, one by one or selected."""

    deletable = True

    def destroy(self, obj: Any) -> None:
        """How one row goes."""
        obj.remove()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.destroy(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.destroy(obj)


@admin.register(Dataset)
class DatasetAdmin(RowAdmin):
    """Name and country may be put right; the content lives in versions."""

    list_display = ("name", "country", "created_at", "created_by")
    search_fields = ("name",)
    date_hierarchy = "created_at"
    readonly_fields = ("created_at", "created_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Dataset | None = None) -> bool:
        return False


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ArtifactAdmin):
    """What was imported, when and by whom; versions that models learned from stay."""

    list_display = ("__str__", "state", "rows", "series", "first", "last", "created_at", "created_by")
    list_filter = ("state", "dataset")
    search_fields = ("dataset__name", "content_hash")
    date_hierarchy = "created_at"
    list_select_related = ("dataset", "created_by")
    exclude = ("stores", "products", "roles", "findings")
    readonly_fields = ("roles_text", "findings_text")

    @admin.display(description=_("roles of extra columns"))
    def roles_text(self, obj: DatasetVersion) -> SafeString:
        return pretty(obj.roles)

    @admin.display(description=_("findings of the check"))
    def findings_text(self, obj: DatasetVersion) -> SafeString:
        return pretty(obj.findings)


@admin.register(ForecastModel)
class ForecastModelAdmin(HistoryAdmin):
    """Which version is best for each scope."""

    list_display = ("dataset", "kind", "code", "best")
    list_filter = ("kind", "dataset")
    search_fields = ("code", "dataset__name", "best__name")
    list_select_related = ("dataset", "best")


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
    show_full_result_count = False

    @admin.display(description=_("rule"), ordering="rule")
    def why(self, obj: Tombstone) -> str:
        return rule_text(obj.rule)


@admin.register(ModelVersion)
class ModelVersionAdmin(ArtifactAdmin):
    """Published results; deleting one takes its file and forecasts along and hands "best" on."""

    list_display = ("name", "dataset", "state", "error", "seconds", "size", "created_at", "created_by")
    list_filter = ("state", "algorithm", "model__dataset", "model__kind")
    search_fields = ("name", "sha256")
    date_hierarchy = "created_at"
    list_select_related = ("model__dataset", "created_by")
    exclude = ("config", "metrics")
    readonly_fields = ("config_text", "metrics_text")

    def destroy(self, obj: ModelVersion) -> None:
        obj.retire()

    @admin.display(description=_("dataset"))
    def dataset(self, obj: ModelVersion) -> str:
        return str(obj.model.dataset)

    @admin.display(description=_("error"), ordering="wape")
    def error(self, obj: ModelVersion) -> str:
        return as_percent(obj.wape)

    @admin.display(description=_("settings"))
    def config_text(self, obj: ModelVersion) -> SafeString:
        return pretty(obj.config)

    @admin.display(description=_("test results"))
    def metrics_text(self, obj: ModelVersion) -> SafeString:
        return pretty(obj.metrics)
