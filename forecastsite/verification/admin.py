"""Admin of the nightly checks."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from forecastsite.verification.models import Verification
from registry.admin.base import ReadOnlyAdmin


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """Each night with what was found."""

    list_display = ("day", "finished_at", "versions", "moved", "files", "damaged")
    fieldsets = (
        (None, {"fields": ("day", "started_at", "finished_at", "libraries")}),
        (_("Found"), {"fields": ("versions", "moved", "files", "damaged", "problem_text")}),
    )
    readonly_fields = ("problem_text",)

    @admin.display(description=_("problems"))
    def problem_text(self, obj: Verification) -> str:
        return obj.problem_text
