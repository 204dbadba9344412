"""Admin of schedules and of what they did."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from forecastsite.automation.models import Plan, PlanRun, PlanStep
from registry.admin.base import ReadOnlyAdmin


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Schedules; they are made and changed on their pages."""

    list_display = ("name", "dataset", "is_enabled", "trigger", "next_at", "retrain", "created_by")
    fieldsets = (
        (None, {"fields": ("name", "dataset", "is_enabled", "created_at", "created_by")}),
        (_("When"), {"fields": ("trigger", "weekdays", "at", "time_zone", "next_at", "seen_version")}),
        (_("What"), {"fields": ("retrain", "retrain_weeks", "budget", "makes_order", "mail_to")}),
    )
    list_filter = ("is_enabled", "trigger", "dataset")
    search_fields = ("name",)
    list_select_related = ("dataset", "created_by")


class StepInline(admin.TabularInline[PlanStep, PlanRun]):
    """The steps of a run."""

    model, extra, can_delete = PlanStep, 0, False
    fields = readonly_fields = ("kind", "state", "sentence", "started_at", "ended_at")

    @admin.display(description=_("what came of it"))
    def sentence(self, obj: PlanStep) -> str:
        return obj.sentence


@admin.register(PlanRun)
class PlanRunAdmin(ReadOnlyAdmin):
    """Runs of schedules with their steps."""

    list_display = ("__str__", "stage", "cause", "created_at", "finished_at", "created_by")
    fieldsets = (
        (None, {"fields": ("plan", "dataset", "cause", "stage", "error_text")}),
        (_("Dates"), {"fields": ("due_at", "created_at", "started_at", "finished_at", "attempt")}),
    )
    readonly_fields = ("error_text",)
    inlines = (StepInline,)
    list_filter = ("stage", "cause", "dataset")
    search_fields = ("plan__name",)
    date_hierarchy = "created_at"
    list_select_related = ("plan", "created_by")

    @admin.display(description=_("reason"))
    def error_text(self, obj: PlanRun) -> str:
        return obj.error_text
