"""Admin of sources and of the files that were found in them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from registry.admin.base import ReadOnlyAdmin
from registry.datasets.sources.models import Source, SourceFile


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Sources; they are made and changed on their pages."""

    list_display = ("name", "dataset", "kind", "place", "address", "is_enabled", "looked_at")
    fieldsets = (
        (None, {"fields": ("name", "dataset", "is_enabled", "created_at", "created_by")}),
        (
            _("Place"),
            {"fields": ("place", "address", "pattern", "needs_marker", "looked_at", "problem_text")},
        ),
        (_("Import"), {"fields": ("kind", "mode", "max_lost", "reading")}),
    )
    readonly_fields = ("problem_text",)
    list_filter = ("kind", "place", "is_enabled", "dataset")
    search_fields = ("name", "address")
    list_select_related = ("dataset",)

    @admin.display(description=_("problem"))
    def problem_text(self, obj: Source) -> str:
        return obj.problem_text


@admin.register(SourceFile)
class SourceFileAdmin(ReadOnlyAdmin):
    """Files of sources, and what became of them."""

    list_display = ("name", "source", "state", "rows", "size", "seen_at", "ended_at")
    fieldsets = (
        (None, {"fields": ("name", "source", "state", "reason_text", "version", "rows")}),
        (_("File"), {"fields": ("size", "sha256", "seen_at", "taken_at", "ended_at")}),
    )
    readonly_fields = ("reason_text",)
    list_filter = ("state", "source")
    search_fields = ("name", "sha256")
    date_hierarchy = "seen_at"
    list_select_related = ("source",)

    @admin.display(description=_("reason"))
    def reason_text(self, obj: SourceFile) -> str:
        return obj.reason_text
