"""Admin actions that ask first: a page lists what will happen to each chosen row, or why it is refused."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from registry.admin.base import ReadOnlyAdmin
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

MAX_ROWS = 200  # rows of one action: more cannot be read before saying yes
REFUSALS = (ValueError, CorruptArtifact)  # their text is one sentence for people


@dataclass(frozen=True)
class Confirmation:
    """Who confirmed it, why, and the mark of the page they confirmed on."""

    by: User
    reason: str
    token: uuid.UUID


class Action:
    """Something that may be done to rows of one table."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    permission: ClassVar[str]
    needs_reason: ClassVar[bool] = False
    is_deletion: ClassVar[bool] = False

    def preview(self, row: Any) -> str:
        """What will happen to the row, in one sentence; raises ValueError with one when it is refused."""
        raise NotImplementedError

    def execute(self, row: Any, confirmation: Confirmation) -> None:
        """Does it; raises one of REFUSALS. `plan` has just agreed."""
        raise NotImplementedError

    def preview_row(self, row: Any) -> dict[str, Any]:
        """The row with its plan, or with why it is left alone."""
        try:
            return {"row": row, "said": self.preview(row), "refused": False}
        except REFUSALS as problem:
            return {"row": row, "said": translate_error(problem), "refused": True}


class ActionAdmin(ReadOnlyAdmin):
    """Rows with actions, in the list and as buttons on the page of one row."""

    row_actions: ClassVar[list[Action]]
    change_form_template = "admin/acting_change_form.html"

    def get_permitted_actions(self, request: HttpRequest) -> list[Action]:
        """What this person may do here."""
        return [act for act in self.row_actions if request.user.has_perm(act.permission)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        ours = {
            act.name: (partial(confirm_or_execute, act), act.name, act.label)
            for act in self.get_permitted_actions(request)
        }
        return {**super().get_actions(request), **ours}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        context["acts"] = self.get_permitted_actions(request)
        return super().render_change_form(request, context, *args, **options)


def confirm_or_execute(
    act: Action, page: ActionAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    """The page that lists what will happen, or the doing of it once that page says yes."""
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) > MAX_ROWS:
        words = _("Choose at most %(most)s at a time; for more there is the clean-up.")
        page.message_user(request, words % {"most": MAX_ROWS}, messages.ERROR)
        return None
    if "confirmed" not in request.POST:
        return render_confirmation(act, page, request, chosen)
    asked = Confirmation(
        page.get_signed_in_user(request), request.POST.get("reason", "").strip(), read_token(request)
    )
    if act.needs_reason and not asked.reason:
        return render_confirmation(act, page, request, chosen)
    execute_action(act, page, request, (chosen, asked))
    return None


def read_token(request: HttpRequest) -> uuid.UUID:
    """The page's own mark, so that the same page sent twice can be told from two."""
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return uuid.uuid4()


def render_confirmation(
    act: Action, page: ActionAdmin, request: HttpRequest, rows: list[Any]
) -> HttpResponse:
    """Asks; rows that are refused are shown with the reason and are not sent along."""
    outlooks = [act.preview_row(row) for row in rows]
    context = {
        **page.admin_site.each_context(request),
        "title": act.label,
        "act": act,
        "opts": page.opts,
        "going": [one for one in outlooks if not one["refused"]],
        "refused": [one for one in outlooks if one["refused"]],
        "problem": "confirmed" in request.POST,
        "token": uuid.uuid4(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def execute_action(
    act: Action, page: ActionAdmin, request: HttpRequest, order: tuple[list[Any], Confirmation]
) -> None:
    """Row by row, each checked again; one that is refused now does not stop the others."""
    rows, asked = order
    done = 0
    for row in rows:
        before = copy.copy(row)  # a deleted row forgets its id
        try:
            said = act.preview(row)
            act.execute(row, asked)
        except REFUSALS as problem:
            page.message_user(request, f"{before}: {translate_error(problem)}", messages.ERROR)
        else:
            done += 1
            log_action(act, before, asked, said)
    if done:
        words = _("%(label)s: done for %(count)s.") % {"label": act.label, "count": done}
        page.message_user(request, words, messages.SUCCESS)


def log_action(act: Action, row: Model, confirmation: Confirmation, preview: str) -> None:
    """The admin's own history: who did what, and why."""
    words = " ".join(part for part in (f"{act.label}.", preview, confirmation.reason) if part)
    flag = DELETION if act.is_deletion else CHANGE
    LogEntry.objects.log_actions(confirmation.by.pk, [row], flag, words, single_object=True)
