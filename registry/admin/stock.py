"""Admin of stock, which can be deleted, and terms, which can be edited."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.base import LargeTableAdmin
from registry.admin.file_columns import FILE_FIELDS, FileColumns
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.storage.tombstones import BY_HAND


class DeleteStock(Action):
    """Deletes stock that no order was made from."""

    name, label, is_deletion = "delete_with_file", _("Delete with its file"), True
    permission: ClassVar[str] = "registry.delete_stocksnapshot"

    def preview(self, row: StockSnapshot) -> str:
        if blocker := row.removal_blocker():
            raise ValueError(blocker)
        return gettext("It and its file will be deleted permanently.")

    def execute(self, row: StockSnapshot, confirmation: Confirmation) -> None:
        with transaction.atomic():
            row.lock_row()
            self.preview(row)
            row.mark_for_deletion(BY_HAND, confirmation.by)
        row.remove(BY_HAND, confirmation.by)


@admin.register(StockSnapshot)
class StockSnapshotAdmin(FileColumns, ActionAdmin):
    """Stock with the file that it came from."""

    row_actions = [DeleteStock()]
    list_display = ("__str__", "state", "rows", "below_zero", "unknown", "file", "created_at", "created_by")
    fieldsets = (
        (None, {"fields": ("dataset", "as_of", "state", "created_at", "created_by")}),
        (_("Import"), {"fields": ("file", "file_sha256", "rows", "below_zero", "unknown")}),
        FILE_FIELDS,
    )
    list_filter = ("state", "dataset")
    search_fields = ("dataset__name", "file")
    date_hierarchy = "as_of"
    list_select_related = ("dataset", "created_by")


@admin.register(Terms)
class TermsAdmin(LargeTableAdmin):
    """Terms, edited here or imported."""

    list_display = (
        "__str__",
        "dataset",
        "supplier",
        "lead_days",
        "review_days",
        "pack",
        "unit_cost",
        "changed_at",
    )
    fieldsets = (
        (None, {"fields": ("dataset", "level", "key", "supplier")}),
        (_("Delivery"), {"fields": ("lead_days", "review_days", "weekdays", "shut_days")}),
        (_("Quantity"), {"fields": ("pack", "min_order", "shelf_min", "shelf_max", "shelf_life")}),
        (_("Money"), {"fields": ("unit_cost", "price", "holding_cost", "waste_cost", "service_level")}),
    )
    list_filter = ("level", "dataset", "supplier")
    search_fields = ("key", "supplier")
    list_select_related = ("dataset",)
