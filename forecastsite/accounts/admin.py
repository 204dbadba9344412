"""Admin of people and of how they sign in. Only administrators (superusers) make people and give roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes import admin as doors  # registers its tables now, so that they can be taken off again
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forecastsite.accounts.signals import rights_of
from registry.access.audit import Act, record
from registry.admin.actions import ActingAdmin, Action, Asked
from registry.admin.base import HistoryAdmin, QuickAdmin

if TYPE_CHECKING:
    People = UserAdmin[User]
else:  # only the stubs know the type parameter
    People = UserAdmin

for table in (User, Group, doors.AccessAttempt, doors.AccessLog, doors.AccessFailureLog):
    admin.site.unregister(table)


@admin.register(User)
class PersonAdmin(QuickAdmin, People):
    """People; a change of their rights is a line of the audit."""

    list_display = ("username", "email", "roles", "is_active", "is_superuser", "last_login")
    list_filter = ("groups", "is_active", "is_superuser")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return rows

    @admin.display(description=_("roles"))
    def roles(self, obj: User) -> str:
        return ", ".join(gettext(group.name) for group in obj.groups.all()) or gettext("Viewer")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The row is saved already, its groups are not: what the database says of both is compared."""
        person: User = form.instance
        flags = {name: form.initial.get(name, False) for name in ("is_superuser", "is_active")}
        before = rights_of(person, **flags) if change else "–"
        super().save_related(request, form, formsets, change)
        if (after := rights_of(person)) != before:
            record(Act.ROLES, person, self.person(request), f"{before} → {after}")

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with transaction.atomic():
            record(Act.DELETED, obj, self.person(request))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            self.delete_model(request, person)


@admin.register(Group)
class RoleAdmin(QuickAdmin, GroupAdmin):
    """Roles; what one may do can be changed here."""


class Unlock(Action):
    """Somebody locked out may try again at once."""

    name, label, permission = "unlock", _("Let in again"), "axes.delete_accessattempt"

    def plan(self, row: doors.AccessAttempt) -> str:
        words = gettext("%(who)s may try again at once from %(address)s.")
        return words % {"who": row.username, "address": row.ip_address}

    def do(self, row: doors.AccessAttempt, asked: Asked) -> None:
        row.delete()


@admin.register(doors.AccessAttempt)
class AttemptAdmin(ActingAdmin):
    """Wrong passwords that are being counted."""

    acts = [Unlock()]
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    search_fields = ("username", "ip_address")
    exclude = ("get_data", "post_data", "http_accept")


@admin.register(doors.AccessFailureLog)
class FailureAdmin(HistoryAdmin):
    """Every wrong password."""

    list_display = ("attempt_time", "username", "ip_address", "locked_out", "user_agent")
    list_filter = ("locked_out",)
    search_fields = ("username", "ip_address")
    exclude = ("http_accept",)


@admin.register(doors.AccessLog)
class AccessAdmin(HistoryAdmin):
    """Who signed in and out."""

    list_display = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    search_fields = ("username", "ip_address")
    exclude = ("http_accept", "session_hash")
