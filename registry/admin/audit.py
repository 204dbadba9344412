"""Admin of the audit log and of deleted files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditEntry
from registry.access.permissions import require
from registry.admin.base import ReadOnlyAdmin
from registry.admin.value_labels import LabelFilter, TableFilter
from registry.labels import table_label
from registry.lib.csv_safe import format_csv_rows
from registry.lib.http import stream_csv
from registry.lib.tables import to_cell_value
from registry.storage.tombstones import Tombstone, rule_text

BATCH_SIZE = 1_000


class RuleFilter(LabelFilter):
    label = staticmethod(rule_text)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """Deleted files: by which rule, when, where they were, by whom."""

    list_display = ("name", "kind_label", "rule_label", "size_text", "at", "by")
    list_filter = (("kind", TableFilter), ("rule", RuleFilter))
    search_fields = ("name", "id", "sha256")
    date_hierarchy = "at"
    list_select_related = ("by",)

    fieldsets = (
        (None, {"fields": ("name", "kind_label", "id")}),
        (_("Deletion"), {"fields": ("rule_label", "at", "by")}),
        (_("File"), {"fields": ("place", "size_text", "sha256")}),
    )
    readonly_fields = ("kind_label", "rule_label", "size_text")

    @admin.display(description=_("kind"), ordering="kind")
    def kind_label(self, obj: Tombstone) -> str:
        return table_label(obj.kind)

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, obj: Tombstone) -> str:
        return filesizeformat(obj.size)

    @admin.display(description=_("rule"), ordering="rule")
    def rule_label(self, obj: Tombstone) -> str:
        return rule_text(obj.rule)


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what, when and why; the filtered list can be downloaded as CSV."""

    change_list_template = "admin/registry/auditentry/change_list.html"
    list_display = ("at", "person_text", "act", "kind_label", "name", "why")
    list_filter = ("act", ("kind", TableFilter))
    fields = ("at", "person_text", "act", "kind_label", "name", "key", "why")
    readonly_fields = ("person_text", "kind_label")
    search_fields = ("who", "name", "key", "why")
    date_hierarchy = "at"

    @admin.display(description=_("who"), ordering="who")
    def person_text(self, obj: AuditEntry) -> str:
        return obj.who or "—"

    @admin.display(description=_("kind"), ordering="kind")
    def kind_label(self, obj: AuditEntry) -> str:
        return table_label(obj.kind)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_csv)
        return [path("csv/", view, name="registry_auditentry_csv"), *super().get_urls()]

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """The filtered entries as CSV, streamed in batches; a wrong filter leads back to the list."""
        require(self.has_view_permission(request), "registry.view_auditentry")
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"{reverse('admin:registry_auditentry_changelist')}?{ERROR_FLAG}=1")
        return stream_csv(map(format_csv_rows, self.iter_batches(rows)), "audit.csv")

    def iter_batches(self, rows: Any) -> Iterable[list[list[Any]]]:
        """Yields the headings, then the entries in batches."""
        names = ("at", "who", "act", "kind", "key", "name", "why")
        yield [list(names)]
        for row in cast(Iterable[tuple[Any, ...]], rows.values_list(*names).iterator(BATCH_SIZE)):
            yield [[to_cell_value(value) for value in row]]
