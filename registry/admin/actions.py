"""Admin actions that ask first: a page lists what will happen to each chosen row, or why it is refused."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from registry.admin.base import HistoryAdmin
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST = 200  # rows of one action: more cannot be read before saying yes
REFUSALS = (ValueError, CorruptArtifact)  # their text is one sentence for people


@dataclass(frozen=True)
class Asked:
    """Who confirmed it, why, and the mark of the page they confirmed on."""

    by: User
    reason: str
    token: uuid.UUID


class Action:
    """Something that may be done to rows of one table."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    permission: ClassVar[str]
    wants_reason: ClassVar[bool] = False
    deletes: ClassVar[bool] = False

    def plan(self, row: Any) -> str:
        """What will happen to the row, in one sentence; raises ValueError with one when it is refused."""
        raise NotImplementedError

    def do(self, row: Any, asked: Asked) -> None:
        """Does it; raises one of REFUSALS. `plan` has just agreed."""
        raise NotImplementedError

    def outlook(self, row: Any) -> dict[str, Any]:
        """The row with its plan, or with why it is left alone."""
        try:
            return {"row": row, "said": self.plan(row), "refused": False}
        except REFUSALS as problem:
            return {"row": row, "said": str(problem), "refused": True}


class ActingAdmin(HistoryAdmin):
    """Rows with actions, in the list and as buttons on the page of one row."""

    acts: ClassVar[list[Action]]
    change_form_template = "admin/acting_change_form.html"

    def offered(self, request: HttpRequest) -> list[Action]:
        """What this person may do here."""
        return [act for act in self.acts if request.user.has_perm(act.permission)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        ours = {act.name: (partial(ask, act), act.name, act.label) for act in self.offered(request)}
        return {**super().get_actions(request), **ours}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        context["acts"] = self.offered(request)
        return super().render_change_form(request, context, *args, **options)


def ask(act: Action, page: ActingAdmin, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
    """The page that lists what will happen, or the doing of it once that page says yes."""
    chosen = list(rows[: MOST + 1])
    if len(chosen) > MOST:
        words = _("Choose at most %(most)s at a time; for more there is the clean-up.")
        page.message_user(request, words % {"most": MOST}, messages.ERROR)
        return None
    if "confirmed" not in request.POST:
        return confirmation(act, page, request, chosen)
    asked = Asked(page.person(request), request.POST.get("reason", "").strip(), mark(request))
    if act.wants_reason and not asked.reason:
        return confirmation(act, page, request, chosen)
    carry_out(act, page, request, (chosen, asked))
    return None


def mark(request: HttpRequest) -> uuid.UUID:
    """The page's own mark, so that the same page sent twice can be told from two."""
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return uuid.uuid4()


def confirmation(act: Action, page: ActingAdmin, request: HttpRequest, rows: list[Any]) -> HttpResponse:
    """Asks; rows that are refused are shown with the reason and are not sent along."""
    outlooks = [act.outlook(row) for row in rows]
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


def carry_out(act: Action, page: ActingAdmin, request: HttpRequest, order: tuple[list[Any], Asked]) -> None:
    """Row by row, each checked again; one that is refused now does not stop the others."""
    rows, asked = order
    done = 0
    for row in rows:
        before = copy.copy(row)  # a deleted row forgets its id
        try:
            said = act.plan(row)
            act.do(row, asked)
        except REFUSALS as problem:
            page.message_user(request, f"{before}: {problem}", messages.ERROR)
        else:
            done += 1
            note(act, before, asked, said)
    if done:
        words = _("%(label)s: done for %(count)s.") % {"label": act.label, "count": done}
        page.message_user(request, words, messages.SUCCESS)


def note(act: Action, row: Model, asked: Asked, said: str) -> None:
    """The admin's own history: who did what, and why."""
    words = " ".join(part for part in (f"{act.label}.", said, asked.reason) if part)
    flag = DELETION if act.deletes else CHANGE
    LogEntry.objects.log_actions(asked.by.pk, [row], flag, words, single_object=True)
