"""Admin actions with a confirmation page that lists the effect on each selected row, or why it is refused."""

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
from registry.lib.admin_groups import group_context
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

MAX_ROWS = 200  # rows of one action, few enough to read before confirming
REFUSALS = (ValueError, CorruptArtifact)  # their text is one sentence for the user


@dataclass(frozen=True)
class Confirmation:
    """Who confirmed an action, the reason, and the token of the confirmation page."""

    by: User
    reason: str
    token: uuid.UUID


class Action:
    """An action on rows of one table."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    permission: ClassVar[str]
    needs_reason: ClassVar[bool] = False
    is_deletion: ClassVar[bool] = False

    def preview(self, row: Any) -> str:
        """One sentence on the effect on a row; raises ValueError with one if it is refused."""
        raise NotImplementedError

    def execute(self, row: Any, confirmation: Confirmation) -> None:
        """Performs the action right after `preview` has accepted the row; raises one of REFUSALS."""
        raise NotImplementedError

    def is_available(self) -> bool:
        """Whether this installation can do it at all."""
        return True

    def check_selection(self, row: Any, rows: list[Any]) -> None:
        """Raises ValueError if the row cannot be acted on together with the others that are selected."""

    def preview_row(self, row: Any, rows: list[Any]) -> dict[str, Any]:
        """The row with its preview, or with the reason why it is refused."""
        try:
            sentence = self.preview(row)
            self.check_selection(row, rows)
        except REFUSALS as problem:
            return {"row": row, "sentence": translate_error(problem), "refused": True}
        return {"row": row, "sentence": sentence, "refused": False}


class ActionAdmin(ReadOnlyAdmin):
    """Read-only rows with actions, in the list and as buttons on a row's page."""

    row_actions: ClassVar[list[Action]]
    change_form_template = "admin/acting_change_form.html"

    def get_permitted_actions(self, request: HttpRequest) -> list[Action]:
        """The actions that the user may perform here."""
        permitted = [act for act in self.row_actions if request.user.has_perm(act.permission)]
        return [act for act in permitted if act.is_available()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = {
            act.name: (partial(confirm_or_execute, act), act.name, act.label)
            for act in self.get_permitted_actions(request)
        }
        return {**super().get_actions(request), **own}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        row = options.get("obj")
        permitted = self.get_permitted_actions(request) if row else []
        context["acts"] = [act for act in permitted if not act.preview_row(row, [row])["refused"]]
        return super().render_change_form(request, context, *args, **options)


def register_action(page: type[ActionAdmin], action: Action) -> None:
    """Adds an action to an admin of a lower layer, which must not import the action itself."""
    page.row_actions = [*page.row_actions, action]


def confirm_or_execute(
    act: Action, page: ActionAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    """Renders the confirmation page, or performs the action once it is confirmed."""
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) > MAX_ROWS:
        words = _("Select at most %(most)s at a time; use the clean-up for more.")
        page.message_user(request, words % {"most": MAX_ROWS}, messages.ERROR)
        return None
    if "confirmed" not in request.POST:
        return render_preview(act, page, request, chosen)
    confirmation = Confirmation(
        page.get_signed_in_user(request), request.POST.get("reason", "").strip(), read_token(request)
    )
    if act.needs_reason and not confirmation.reason:
        return render_preview(act, page, request, chosen)
    execute_action(act, page, request, (chosen, confirmation))
    return None


def read_token(request: HttpRequest) -> uuid.UUID:
    """The token of the confirmation page, which identifies a form that is sent twice."""
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return uuid.uuid4()


def render_preview(act: Action, page: ActionAdmin, request: HttpRequest, rows: list[Any]) -> HttpResponse:
    """The confirmation page; refused rows are listed with the reason and not submitted."""
    previews = [{**act.preview_row(row, rows), "name": page.get_row_title(row)} for row in rows]
    context = {
        **page.admin_site.each_context(request),
        "title": act.label,
        "act": act,
        "opts": page.opts,
        **group_context(page.opts),
        "accepted": [one for one in previews if not one["refused"]],
        "refused": [one for one in previews if one["refused"]],
        "problem": "confirmed" in request.POST,
        "token": uuid.uuid4(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def execute_action(
    act: Action, page: ActionAdmin, request: HttpRequest, order: tuple[list[Any], Confirmation]
) -> None:
    """Performs the action row by row, checking each again; a refused row does not stop the others."""
    rows, confirmation = order
    done = 0
    for row in rows:
        before = copy.copy(row)  # a deleted row loses its id
        try:
            sentence = act.preview(row)
            act.check_selection(row, rows)
            act.execute(row, confirmation)
        except REFUSALS as problem:
            page.message_user(request, f"{before}: {translate_error(problem)}", messages.ERROR)
        else:
            done += 1
            log_action(act, before, confirmation, sentence)
    if done:
        words = _("%(label)s: done for %(count)s.") % {"label": act.label, "count": done}
        page.message_user(request, words, messages.SUCCESS)


def log_action(act: Action, row: Model, confirmation: Confirmation, preview: str) -> None:
    """Writes the action to the admin's own history."""
    words = " ".join(part for part in (f"{act.label}.", preview, confirmation.reason) if part)
    flag = DELETION if act.is_deletion else CHANGE
    LogEntry.objects.log_actions(confirmation.by.pk, [row], flag, words, single_object=True)
