"""Forms of orders: a bulk change, and the policy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prediction.order_runs.decisions import Change
from prediction.order_runs.models import OrderPolicy, add_policy
from prediction.orders.classes import CLASSES
from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset

REASON_REQUIRED = {"required": _("Enter a reason, so that others understand why.")}
LEVEL: dict[str, Any] = {"min_value": 0.5, "max_value": 0.999}


class ChangeForm(forms.Form):
    """How the quantity of the chosen lines changes, and why."""

    how = forms.ChoiceField(
        label=_("Change"),
        choices=[("set", _("set to")), ("add", _("add units")), ("percent", _("by percent"))],
    )
    value = forms.FloatField(label=_("Number"), error_messages={"required": _("Enter a number.")})
    reason = forms.CharField(label=_("Reason"), max_length=300, error_messages=REASON_REQUIRED)

    @property
    def change(self) -> Change:
        """The change of a valid form."""
        return Change(self.cleaned_data["how"], self.cleaned_data["value"])

    @property
    def problem(self) -> str:
        """The first error as one sentence."""
        return str(next(iter(self.errors.values()))[0])


class PolicyForm(forms.ModelForm[OrderPolicy]):
    """The aim of all lines, and other aims of some classes: fields kind_AX and level_AX."""

    reason = forms.CharField(label=_("Reason"), max_length=300, error_messages=REASON_REQUIRED)

    class Meta:
        model = OrderPolicy
        fields = ("kind", "level")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = self.instance.classes
        kinds = [("", _("as above")), *OrderPolicy.Kind.choices]
        for name in CLASSES:
            kind, level = known.get(name, ("", None))
            self.fields[f"kind_{name}"] = forms.ChoiceField(
                label=_("Aim of %(name)s") % {"name": name}, choices=kinds, required=False, initial=kind
            )
            self.fields[f"level_{name}"] = forms.FloatField(
                label=_("Service level of %(name)s") % {"name": name}, required=False, initial=level, **LEVEL
            )

    def clean(self) -> dict[str, Any]:
        """A class with an aim has a level, unless that is cost; with only a level it has the usual aim."""
        data = super().clean() or {}
        for name in CLASSES:
            kind, level = data.get(f"kind_{name}"), data.get(f"level_{name}")
            if kind in ("cycle", "fill") and level is None and f"level_{name}" not in self.errors:
                self.add_error(f"level_{name}", _("Enter a level, such as 0.95."))
        return data

    def build_policy(self, dataset: Dataset) -> OrderPolicy:
        """An unsaved policy of a valid form."""
        data = self.cleaned_data
        classes = {
            name: [data[f"kind_{name}"] or data["kind"], data[f"level_{name}"] or data["level"]]
            for name in CLASSES
            if data[f"kind_{name}"] or data[f"level_{name}"]
        }
        facts = {part: data[part] for part in ("kind", "level", "reason")}
        return OrderPolicy(dataset=dataset, classes=classes, **facts)

    def save_policy(self, dataset: Dataset, by: AbstractBaseUser | None) -> OrderPolicy:
        """The policy of a valid form as the newest of the dataset."""
        made = self.build_policy(dataset)
        made.created_by_id = by.pk if by else None
        with transaction.atomic():
            add_policy(made)
            record_action(AuditAction.CHANGED, made, by, made.reason)
        return made

    @property
    def class_rows(self) -> list[dict[str, Any]]:
        """The fields of each class, for a table."""
        return [
            {"name": name, "kind": self[f"kind_{name}"], "level": self[f"level_{name}"]} for name in CLASSES
        ]
