"""Admin of orders: rows as they are, pin, archive, delete with file."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from prediction.order_backtests.models import OrderBacktest
from prediction.order_runs.models import OrderExport, OrderLine, OrderPolicy, OrderRun
from registry.admin.actions import ActionAdmin
from registry.admin.artifact_actions import ARTIFACT_ACTIONS, DeleteArtifact
from registry.admin.base import ReadOnlyAdmin
from registry.admin.file_columns import ARCHIVABLE_FIELDS, ArchivableColumns


class DeleteOrder(DeleteArtifact):
    permission = "prediction.delete_orderrun"


@admin.register(OrderRun)
class OrderRunAdmin(ArchivableColumns, ActionAdmin):
    """Orders with their stage, what they were made from, and the location of the file."""

    row_actions = [*ARTIFACT_ACTIONS, DeleteOrder()]
    list_display = (
        "__str__",
        "stage",
        "lines",
        "ordered",
        "pinned_text",
        "file_location",
        "created_at",
        "created_by",
    )
    list_filter = ("stage", "source", "state", "pinned", "dataset")
    search_fields = ("dataset__name",)
    date_hierarchy = "created_at"
    list_select_related = ("dataset", "stock", "created_by")
    fieldsets = (
        (None, {"fields": ("dataset", "source", "created_at", "created_by")}),
        (_("Made from"), {"fields": ("forecast_run", "stock", "policy", "max_stock_age", "terms_sha256")}),
        (_("Result"), {"fields": ("stage", "error_shown", "lines", "ordered", "units", "money", "seconds")}),
        ARCHIVABLE_FIELDS,
    )
    readonly_fields = ("error_shown", "pinned_text", "file_location", "file_path", "size_text", "archived_at")

    @admin.display(description=_("reason"))
    def error_shown(self, obj: OrderRun) -> str:
        return obj.error_text


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    """Lines that people changed, approved or exported."""

    list_display = ("__str__", "run", "quantity", "state", "approved_by", "approved_at")
    list_filter = ("state",)
    search_fields = ("store", "product")
    list_select_related = ("run__dataset", "run__stock", "approved_by")


@admin.register(OrderExport)
class OrderExportAdmin(ReadOnlyAdmin):
    """Files that were made of approved lines."""

    list_display = ("__str__", "lines", "units", "at", "by", "reason")
    list_filter = ("run__dataset",)
    list_select_related = ("run__dataset", "run__stock", "by")


@admin.register(OrderBacktest)
class OrderBacktestAdmin(ReadOnlyAdmin):
    """Back-tests with their stage."""

    list_display = ("__str__", "stage", "rule", "algorithm", "seconds", "created_at", "created_by")
    list_filter = ("stage", "dataset")
    list_select_related = ("dataset", "created_by")
    exclude = ("config",)


@admin.register(OrderPolicy)
class OrderPolicyAdmin(ReadOnlyAdmin):
    """Every version of every policy."""

    list_display = ("__str__", "kind", "level", "reason", "created_at", "created_by")
    list_filter = ("dataset",)
    list_select_related = ("dataset", "created_by")
