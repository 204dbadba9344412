"""The form for a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from forecastsite.webhooks.models import EventKind, Webhook
from registry.access.audit import AuditAction, record_action


class WebhookForm(forms.Form):
    """What it is called, where it is, and what it is told."""

    name = forms.CharField(label=_("Name"), max_length=80)
    address = forms.URLField(
        label=_("Address"),
        max_length=500,
        assume_scheme="https",
        help_text=_("Each event is sent there as JSON, signed by Standard Webhooks."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        choices=EventKind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the program is told.")},
    )

    def clean_address(self) -> str:
        """A web address without a password, which would show up in logs."""
        address = str(self.cleaned_data["address"])
        if not address.startswith(("https://", "http://")) or "@" in address.partition("//")[2].split("/")[0]:
            raise forms.ValidationError(_("Enter an address that begins with https://."))
        return address

    def save_webhook(self, by: User) -> Webhook:
        """The row with its secret."""
        data: dict[str, Any] = self.cleaned_data
        hook = Webhook(name=data["name"], address=data["address"], kinds=data["kinds"], created_by=by)
        with transaction.atomic():
            hook.save(force_insert=True)
            record_action(AuditAction.CHANGED, hook, by, f"webhook made: {hook.address}")
        return hook


def delete_webhook(hook: Webhook, by: User) -> None:
    """Deletes it with what was, or is to be, sent to it."""
    with transaction.atomic():
        record_action(AuditAction.DELETED, hook, by, hook.address)
        hook.delete()
