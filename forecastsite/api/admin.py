"""Admin of keys: who has which, and the act that ends one."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forecastsite.api.keys import revoke_key
from forecastsite.api.models import ApiKey
from registry.admin.actions import Action, ActionAdmin, Confirmation


class RevokeKey(Action):
    """Ends a key at once."""

    name, label, permission = "revoke", _("Revoke"), "forecastsite.change_apikey"

    def preview(self, row: ApiKey) -> str:
        if row.revoked_at is not None:
            raise ValueError(gettext("It has been revoked already."))
        return gettext("Programs that use it are refused from now on.")

    def execute(self, row: ApiKey, confirmation: Confirmation) -> None:
        revoke_key(row, confirmation.by)


@admin.register(ApiKey)
class ApiKeyAdmin(ActionAdmin):
    """Keys of all people; the keys themselves are not stored."""

    row_actions = [RevokeKey()]
    list_display = ("__str__", "owner", "scope_names", "created_at", "last_used_at", "expires_at", "state")
    fieldsets = (
        (None, {"fields": ("name", "prefix", "owner", "scope_names", "stores")}),
        (_("Dates"), {"fields": ("created_at", "expires_at", "last_used_at", "last_address", "revoked_at")}),
    )
    readonly_fields = ("scope_names",)
    search_fields = ("name", "prefix", "owner__username")
    list_select_related = ("owner",)

    @admin.display(description=_("scopes"))
    def scope_names(self, obj: ApiKey) -> str:
        return ", ".join(obj.scopes)

    @admin.display(description=_("state"))
    def state(self, obj: ApiKey) -> str:
        return obj.state_text or gettext("valid")
