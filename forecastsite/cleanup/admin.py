"""Admin of the daily clean-up schedule and of past clean-ups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from forecastsite.cleanup.limits import Limits
from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.cleanup.service import (
    NOT_STARTED_ERRORS,
    build_default_policy,
    build_plan,
    run_cleanup,
    should_archive,
)
from registry.access.audit import AuditAction, record_action
from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.base import ReadOnlyAdmin, yes_or_dash

MAX_SHOWN_ITEMS = 200  # items of a plan shown on the page
MAX_REQUEST_SECONDS = 15.0  # seconds of work in the request; the light queue does the rest


@admin.register(CleanUp)
class CleanUpAdmin(ReadOnlyAdmin):
    """Past clean-ups with their results."""

    list_display = (
        "at",
        "triggered_by",
        "deleted",
        "archived",
        "freed_size",
        "failed",
        "left",
        "result_text",
    )
    list_filter = ("by_schedule", "code")
    fieldsets = (
        (None, {"fields": ("at", "triggered_by", "result_text", "code")}),
        (_("Files"), {"fields": ("deleted", "archived", "freed_size", "failed", "left")}),
    )
    readonly_fields = ("triggered_by", "freed_size", "result_text")
    date_hierarchy = "at"
    list_select_related = ("by",)

    @admin.display(description=_("who"))
    def triggered_by(self, obj: CleanUp) -> str:
        return obj.triggered_by

    @admin.display(description=_("freed"), ordering="freed")
    def freed_size(self, obj: CleanUp) -> str:
        return filesizeformat(obj.freed)

    @admin.display(description=_("result"))
    def result_text(self, obj: CleanUp) -> str:
        return obj.text or gettext("done")


class SwitchOn(Action):
    """Switches the daily clean-up on."""

    name, label, permission = "switch_on", _("Switch on: clean up every night"), "forecastsite.change_nightly"

    def preview(self, row: Nightly) -> str:
        if row.is_enabled:
            raise ValueError(gettext("It is switched on already."))
        return gettext("A clean-up will run every night.")

    def execute(self, row: Nightly, confirmation: Confirmation) -> None:
        with transaction.atomic():
            record_action(AuditAction.CHANGED, row, confirmation.by, str(self.label))
            row.set_enabled(True)


class SwitchOff(SwitchOn):
    """Switches the daily clean-up off."""

    name, label = "switch_off", _("Switch off")

    def preview(self, row: Nightly) -> str:
        if not row.is_enabled:
            raise ValueError(gettext("It is switched off already."))
        return gettext("Clean-ups will no longer run every night.")

    def execute(self, row: Nightly, confirmation: Confirmation) -> None:
        with transaction.atomic():
            record_action(AuditAction.CHANGED, row, confirmation.by, str(self.label))
            row.set_enabled(False)


@admin.register(Nightly)
class NightlyAdmin(ActionAdmin):
    """The schedule: whether it is on, the next run, and the last result."""

    list_display = ("__str__", "is_enabled", "next_time", "last_time", "last_result")
    fields = ("is_enabled", "next_time", "last_time", "last_result")
    readonly_fields = fields
    actions = ("preview_cleanup", "clean_up_now")
    row_actions = [SwitchOn(), SwitchOff()]

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change the schedule, which has no form."""
        return request.user.has_perm("forecastsite.change_nightly")

    def get_row_title(self, row: Nightly) -> str:
        return str(row._meta.verbose_name)

    @admin.display(description=_("switched on"))
    def is_enabled(self, obj: Nightly) -> str:
        return yes_or_dash(obj.is_enabled)

    @admin.display(description=_("next time"))
    def next_time(self, obj: Nightly) -> Any:
        return obj.next_run if obj.is_enabled else None

    @admin.display(description=_("last time"))
    def last_time(self, obj: Nightly) -> Any:
        return obj.last_cleanup and obj.last_cleanup.at

    @admin.display(description=_("last result"))
    def last_result(self, obj: Nightly) -> str:
        return obj.last_cleanup.result_sentence if obj.last_cleanup else ""

    @admin.action(description=_("Preview a clean-up"), permissions=["switch"])
    def preview_cleanup(self, request: HttpRequest, queryset: QuerySet[Nightly]) -> HttpResponse | None:
        """Shows the plan item by item, with a button that carries out exactly this plan."""
        try:
            plan = build_plan(replace(build_default_policy(), should_archive=should_archive("auto")))
        except NOT_STARTED_ERRORS as problem:
            self.message_user(request, str(problem), messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Preview of a clean-up"),
            "opts": self.opts,
            "plan": plan,
            "shown": plan.due_items[:MAX_SHOWN_ITEMS],
            "more": len(plan.due_items) - MAX_SHOWN_ITEMS,
            "size": sum(item.bytes for item in plan.due_items),
            "selected": request.POST.getlist("_selected_action"),
        }
        return TemplateResponse(request, "admin/cleanup_plan.html", context)

    @admin.action(description=_("Clean up now"), permissions=["switch"])
    def clean_up_now(self, request: HttpRequest, queryset: QuerySet[Nightly]) -> HttpResponse | None:
        """Carries out the previewed plan; without one it shows the preview first."""
        if not (plan := request.POST.get("plan", "")):
            return self.preview_cleanup(request, queryset)
        policy = replace(build_default_policy(), should_archive=should_archive("auto"))
        limits = Limits(expected_sha256=plan, time_limit=MAX_REQUEST_SECONDS)
        try:
            outcome = run_cleanup(policy, limits, by=request.user)  # type: ignore[arg-type]
        except NOT_STARTED_ERRORS as problem:
            self.message_user(request, str(problem), messages.ERROR)
            return None
        if outcome.left_count and not outcome.exit_code:
            async_task("forecastsite.tasks.clean_up", cluster="light")
        level = messages.ERROR if outcome.exit_code else messages.SUCCESS
        self.message_user(request, CleanUp(**outcome.to_columns()).result_sentence, level)
        return None
