"""Admin of the clean-up: the daily schedule with its last result, and what every clean-up did."""

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

from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.cleanup.service import NOT_BEGUN, Limits, carry_out, default_policy, draw_up, to_archive
from registry.access.audit import Act, record
from registry.admin.actions import ActingAdmin, Action, Asked
from registry.admin.base import HistoryAdmin

SHOWN = 200  # items of a plan on the page
PATIENCE = 15.0  # seconds of work in the request; the light queue does the rest


@admin.register(CleanUp)
class CleanUpAdmin(HistoryAdmin):
    """Every clean-up: what went, what failed, by whom."""

    list_display = ("at", "who", "deleted", "archived", "size", "failed", "left", "result")
    list_filter = ("by_schedule", "code")
    date_hierarchy = "at"
    list_select_related = ("by",)

    @admin.display(description=_("who"))
    def who(self, obj: CleanUp) -> str:
        return obj.who

    @admin.display(description=_("freed"), ordering="freed")
    def size(self, obj: CleanUp) -> str:
        return filesizeformat(obj.freed)

    @admin.display(description=_("result"))
    def result(self, obj: CleanUp) -> str:
        return obj.text or gettext("done")


class SwitchOn(Action):
    """Cleans up by itself from the next night on."""

    name, label, permission = "switch_on", _("Switch on: clean up every night"), "forecastsite.change_nightly"

    def plan(self, row: Nightly) -> str:
        return gettext("Cleans up every night from now on.")

    def do(self, row: Nightly, asked: Asked) -> None:
        with transaction.atomic():
            record(Act.CHANGED, row, asked.by, str(self.label))
            row.switch(True)


class SwitchOff(SwitchOn):
    """Not any more."""

    name, label = "switch_off", _("Switch off")

    def plan(self, row: Nightly) -> str:
        return gettext("Cleans up no more.")

    def do(self, row: Nightly, asked: Asked) -> None:
        with transaction.atomic():
            record(Act.CHANGED, row, asked.by, str(self.label))
            row.switch(False)


@admin.register(Nightly)
class NightlyAdmin(ActingAdmin):
    """One row: whether the clean-up runs by itself, when next, and how it went the last time."""

    list_display = ("__str__", "switched_on", "next", "last_run", "last_result")
    fields = ("switched_on", "next", "last_run", "last_result")
    readonly_fields = fields
    actions = ("look", "clean_now")
    acts = [SwitchOn(), SwitchOff()]

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Who may change the schedule; the row itself has no form."""
        return request.user.has_perm("forecastsite.change_nightly")

    @admin.display(description=_("switched on"), boolean=True)
    def switched_on(self, obj: Nightly) -> bool:
        return obj.on

    @admin.display(description=_("next time"))
    def next(self, obj: Nightly) -> Any:
        return obj.next_run if obj.on else None

    @admin.display(description=_("last time"))
    def last_run(self, obj: Nightly) -> Any:
        return obj.last and obj.last.at

    @admin.display(description=_("last result"))
    def last_result(self, obj: Nightly) -> str:
        return obj.last.sentence if obj.last else ""

    @admin.action(description=_("Show what a clean-up would do now"), permissions=["switch"])
    def look(self, request: HttpRequest, queryset: QuerySet[Nightly]) -> HttpResponse | None:
        """The plan, item by item, and a button that carries out exactly this one."""
        try:
            plan = draw_up(replace(default_policy(), archive=to_archive("auto")))
        except NOT_BEGUN as problem:
            self.message_user(request, str(problem), messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("What a clean-up would do now"),
            "opts": self.opts,
            "plan": plan,
            "shown": plan.todo[:SHOWN],
            "more": len(plan.todo) - SHOWN,
            "size": sum(item.bytes for item in plan.todo),
            "selected": request.POST.getlist("_selected_action"),
        }
        return TemplateResponse(request, "admin/cleanup_plan.html", context)

    @admin.action(description=_("Clean up now"), permissions=["switch"])
    def clean_now(self, request: HttpRequest, queryset: QuerySet[Nightly]) -> HttpResponse | None:
        """Carries out the plan that was looked at; without one it is shown first."""
        if not (plan := request.POST.get("plan", "")):
            return self.look(request, queryset)
        policy = replace(default_policy(), archive=to_archive("auto"))
        limits = Limits(expect=plan, seconds=PATIENCE)
        try:
            outcome = carry_out(policy, limits, by=request.user)  # type: ignore[arg-type]
        except NOT_BEGUN as problem:
            self.message_user(request, str(problem), messages.ERROR)
            return None
        if outcome.left and not outcome.code:
            async_task("forecastsite.tasks.clean_up", cluster="light")
        level = messages.ERROR if outcome.code else messages.SUCCESS
        self.message_user(request, CleanUp(**outcome.facts()).sentence, level)
        return None
