"""Admin of users and sign-ins; only administrators (superusers) create users and assign roles."""

from __future__ import annotations

from typing import Any

from axes import admin as axes_admin  # imported early: it registers tables that are unregistered below
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forecastsite.accounts.permission_field import PermissionField, RoleField
from forecastsite.accounts.signals import describe_permissions
from registry.access.audit import AuditAction, record_action
from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.base import LargeTableAdmin, ReadOnlyAdmin

for table in (User, Group, axes_admin.AccessAttempt, axes_admin.AccessLog, axes_admin.AccessFailureLog):
    admin.site.unregister(table)


class PermissionsAdmin(LargeTableAdmin):
    """Offers roles, and the permissions for what the admin shows, in words and with boxes to tick."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **options: Any) -> Any:
        options |= {"help_text": "", "widget": CheckboxSelectMultiple}
        if db_field.related_model is Group:
            options["form_class"] = RoleField
        elif db_field.related_model is Permission:
            apps = {model._meta.app_label for model in self.admin_site._registry}
            known = Permission.objects.filter(content_type__app_label__in=apps).select_related("content_type")
            options |= {"form_class": PermissionField, "queryset": known}
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(User)
class PersonAdmin(PermissionsAdmin, UserAdmin[User]):
    """Users; changes of their permissions are audited."""

    list_display = ("username", "email", "role_names", "is_active", "is_superuser", "last_login")
    list_filter = ("groups", "is_active", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Roles and permissions"), {"fields": ("is_active", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with their roles."""
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return rows

    @admin.display(description=_("roles"))
    def role_names(self, obj: User) -> str:
        return ", ".join(gettext(group.name) for group in obj.groups.all()) or gettext("Viewer")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Audits a change of permissions: flags are saved by now, groups only by super()."""
        person: User = form.instance
        flags = {name: form.initial.get(name, False) for name in ("is_superuser", "is_active")}
        before = describe_permissions(person, **flags) if change else "–"
        super().save_related(request, form, formsets, change)
        if (after := describe_permissions(person)) != before:
            record_action(AuditAction.ROLES, person, self.get_signed_in_user(request), f"{before} → {after}")

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Deletes a user together with an audit entry."""
        with transaction.atomic():
            record_action(AuditAction.DELETED, obj, self.get_signed_in_user(request))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Deletes users one by one, each with an audit entry."""
        for person in queryset:
            self.delete_model(request, person)


@admin.register(Group)
class RoleAdmin(PermissionsAdmin, GroupAdmin):
    """Roles and their permissions."""

    list_display = ("role_name",)

    def get_row_title(self, row: Group) -> str:
        return gettext(row.name)

    @admin.display(description=_("name"), ordering="name")
    def role_name(self, obj: Group) -> str:
        return gettext(obj.name)


class UnlockSignIn(Action):
    """Ends the lockout of a user."""

    name, label, permission = "unlock", _("Unlock sign-in"), "axes.delete_accessattempt"

    def preview(self, row: axes_admin.AccessAttempt) -> str:
        words = gettext("%(who)s can sign in from %(address)s again.")
        return words % {"who": row.username, "address": row.ip_address}

    def execute(self, row: axes_admin.AccessAttempt, confirmation: Confirmation) -> None:
        row.delete()


@admin.register(axes_admin.AccessAttempt)
class SignInAttemptAdmin(ActionAdmin):
    """Failed sign-ins that count towards a lockout."""

    row_actions = [UnlockSignIn()]
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    search_fields = ("username", "ip_address")
    fields = (*list_display, "path_info")

    def get_row_title(self, row: axes_admin.AccessAttempt) -> str:
        return f"{row.username} · {row.ip_address}"


@admin.register(axes_admin.AccessFailureLog)
class SignInFailureAdmin(ReadOnlyAdmin):
    """Every failed sign-in."""

    list_display = ("attempt_time", "username", "ip_address", "locked_out", "user_agent")
    list_filter = ("locked_out",)
    search_fields = ("username", "ip_address")
    fields = (*list_display, "path_info")

    def get_row_title(self, row: axes_admin.AccessFailureLog) -> str:
        return f"{row.username} · {row.ip_address}"


@admin.register(axes_admin.AccessLog)
class SignInLogAdmin(ReadOnlyAdmin):
    """Sign-ins and sign-outs."""

    list_display = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    search_fields = ("username", "ip_address")
    fields = list_display

    def get_row_title(self, row: axes_admin.AccessLog) -> str:
        return f"{row.username} · {row.ip_address}"
