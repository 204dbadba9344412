"""Admin of datasets and their versions."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.base import LargeTableAdmin, format_json
from registry.admin.file_columns import FILE_FIELDS, FileColumns
from registry.datasets.models import Dataset, DatasetVersion
from registry.storage.tombstones import BY_HAND


class DeleteDatasetVersion(Action):
    """Deletes a dataset version that no model was trained on."""

    name, label, is_deletion = "delete_with_file", _("Delete with its file"), True
    permission: ClassVar[str] = "registry.add_datasetversion"

    def preview(self, row: DatasetVersion) -> str:
        return row.deletion_notice()

    def execute(self, row: DatasetVersion, confirmation: Confirmation) -> None:
        with transaction.atomic():
            row.lock_row()
            self.preview(row)
            row.mark_for_deletion(BY_HAND, confirmation.by)
        row.remove(BY_HAND, confirmation.by)


@admin.register(Dataset)
class DatasetAdmin(LargeTableAdmin):
    """Datasets: name and country can be corrected, the content is in the versions."""

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
class DatasetVersionAdmin(FileColumns, ActionAdmin):
    """Imported versions; those that models were trained on cannot be deleted."""

    row_actions = [DeleteDatasetVersion()]
    list_display = ("__str__", "state", "rows", "series", "first", "last", "created_at", "created_by")
    fieldsets = (
        (None, {"fields": ("dataset", "number", "state", "created_at", "created_by")}),
        (_("Sales"), {"fields": ("first", "last", "rows", "series", "roles_text")}),
        (_("Import"), {"fields": ("reading_text", "findings_text")}),
        FILE_FIELDS,
    )
    list_filter = ("state", "dataset")
    search_fields = ("dataset__name", "content_hash")
    date_hierarchy = "created_at"
    list_select_related = ("dataset", "created_by")
    readonly_fields = ("roles_text", "findings_text", "reading_text", "file_path", "size_text")

    @admin.display(description=_("roles of extra columns"))
    def roles_text(self, obj: DatasetVersion) -> SafeString:
        return format_json(obj.roles)

    @admin.display(description=_("findings"))
    def findings_text(self, obj: DatasetVersion) -> SafeString:
        return format_json(obj.findings)

    @admin.display(description=_("file format"))
    def reading_text(self, obj: DatasetVersion) -> SafeString:
        return format_json(obj.reading)
