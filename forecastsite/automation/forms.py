"""The form of a plan, and what changes one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from forecastsite.automation.models import Plan
from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset
from registry.lib.form_fields import whole_number

WEEKDAYS = [
    ("1", _("Monday")),
    ("2", _("Tuesday")),
    ("3", _("Wednesday")),
    ("4", _("Thursday")),
    ("5", _("Friday")),
    ("6", _("Saturday")),
    ("7", _("Sunday")),
]
MAX_ADDRESSES = 20


class PlanForm(forms.ModelForm[Plan]):
    """When a plan starts, and what it does besides the forecast."""

    weekdays = forms.MultipleChoiceField(
        label=_("Weekdays"), choices=WEEKDAYS, widget=forms.CheckboxSelectMultiple, required=False
    )
    retrain_weeks = whole_number(_("Weeks between trainings"), 1, 52)
    budget = whole_number(_("Seconds to learn"), 1, settings.MAX_BUDGET)
    mail_to = forms.CharField(
        label=_("Mail to"),
        required=False,
        max_length=2000,
        help_text=_("Addresses with commas between them: they get what came of each run."),
    )

    class Meta:
        model = Plan
        fields = (
            "name", "trigger", "weekdays", "at", "time_zone", "retrain", "retrain_weeks", "budget",
            "makes_order", "mail_to",
        )  # fmt: skip
        labels = {
            "name": _("Name"),
            "trigger": _("Starts"),
            "at": _("Time"),
            "time_zone": _("Time zone"),
            "retrain": _("Train again"),
            "makes_order": _("Make an order of the newest stock; people approve it"),
        }
        help_texts = {
            "at": _("When the clocks are put forward past it, the moment of the change counts."),
            "time_zone": _("Such as Europe/Berlin or Asia/Shanghai."),
        }
        widgets = {"at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")}

    def __init__(self, dataset: Dataset, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.instance.dataset = dataset
        self.initial["weekdays"] = self.instance.weekdays.split(",")
        self.initial["mail_to"] = ", ".join(self.instance.mail_to)

    def clean_weekdays(self) -> str:
        """As the model keeps them."""
        return ",".join(sorted(self.cleaned_data["weekdays"]))

    def clean_mail_to(self) -> list[str]:
        """Valid addresses, each once."""
        found = [one.strip() for one in self.cleaned_data["mail_to"].split(",") if one.strip()]
        for one in found:
            try:
                validate_email(one)
            except ValidationError:
                raise forms.ValidationError(
                    _("%(address)s is no e-mail address."), params={"address": one}
                ) from None
        if len(found) > MAX_ADDRESSES:
            raise forms.ValidationError(_("At most %(most)s addresses."), params={"most": MAX_ADDRESSES})
        return list(dict.fromkeys(found))

    def clean(self) -> dict[str, Any]:
        """A plan with a time has a day."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("trigger") == Plan.Trigger.TIME and data.get("weekdays") == "":
            self.add_error("weekdays", _("Choose at least one day."))
        return data

    def save_plan(self, by: User) -> Plan:
        """Saves the plan with its next time; it does not start for sales that are there already."""
        plan = self.instance
        if plan.pk is None:
            plan.seen_version, plan.created_by = plan.dataset.current_version, by
        plan.set_next_time()
        with transaction.atomic():
            plan.save()
            record_action(AuditAction.CHANGED, plan, by, plan.get_trigger_display())
        return plan


def switch_plan(plan: Plan, is_enabled: bool, by: User | None) -> None:
    """Switches a plan on, from its next time and for later sales, or off."""
    plan.is_enabled, plan.seen_version = is_enabled, plan.dataset.current_version
    plan.set_next_time()
    with transaction.atomic():
        plan.save(update_fields=["is_enabled", "seen_version", "next_at"])
        record_action(AuditAction.CHANGED, plan, by, "on" if is_enabled else "off")


def delete_plan(plan: Plan, by: User | None) -> None:
    """Deletes a plan with its runs; what they made stays."""
    with transaction.atomic():
        record_action(AuditAction.DELETED, plan, by, plan.dataset.name)
        plan.delete()
