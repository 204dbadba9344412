"""The form of an override: series, days, change, reason. Each mistake gets one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import isfinite
from typing import Any, Self

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.forecast_page.series_form import SeriesForm
from prediction.overrides.models import Override
from registry.datasets.models import Dataset
from registry.lib.form_fields import NOT_A_NUMBER, NOT_IN_LIST
from registry.lib.formatting import format_day
from registry.lib.request_values import UNSTORABLE, read_text

MAX_DAYS, MAX_AHEAD = 366, 366  # days of an override, and days from the last known one to its first
MAX_PERCENT, MAX_UNITS, MAX_NOTE = 1000, 1e9, 500
NOT_A_DAY = _("Enter a day, like 2026-12-31.")
CHOOSE_REASON = _("Choose a reason: it shows later which changes helped.")


def override_url(**given: Any) -> str:
    """The address of the form filled in with these values."""
    known = {name: value for name, value in given.items() if value and name != "horizon"}
    return f"{reverse('override-new')}?{urlencode(known, doseq=True)}"


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day as browsers send it."""
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    messages = {"invalid": NOT_A_DAY, "required": NOT_A_DAY}
    return forms.DateField(
        label=label, widget=widget, error_messages=messages, input_formats=["%Y-%m-%d"], **options
    )


class OverrideForm(SeriesForm):
    """Product and store or groups of them, first and last day, change, reason, note and expiry."""

    address = staticmethod(override_url)

    first = day_field(_("From"))
    last = day_field(_("To"))
    kind = forms.ChoiceField(
        label=_("Change"), choices=Override.Kind.choices, error_messages={"invalid_choice": NOT_IN_LIST}
    )
    amount = forms.FloatField(
        label=_("Units or percent"),
        widget=forms.NumberInput({"step": "any"}),
        error_messages={"invalid": NOT_A_NUMBER, "required": NOT_A_NUMBER},
        help_text=_("In total over all days and series; below 0 for less."),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", "–"), *Override.Reason.choices],
        error_messages={"required": CHOOSE_REASON, "invalid_choice": CHOOSE_REASON},
    )
    text = forms.CharField(
        label=_("Note"), required=False, max_length=MAX_NOTE, widget=forms.Textarea({"rows": 2})
    )
    expires = day_field(
        _("Counts until"),
        required=False,
        help_text=_("Forecasts made after this day ignore it. Leave empty to keep it until its last day."),
    )

    def __init__(self, sales_of: Dataset, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        options["initial"] = {
            **first_week(sales_of),
            "kind": Override.Kind.PERCENT,
            **options.get("initial", {}),
        }
        super().__init__(sales_of, data, **options)

    @classmethod
    def from_address(cls, dataset: Dataset, given: QueryDict) -> Self:
        """The form to be filled in, with the series and days that an address names."""
        initial = {name: text for name in ("product", "store") if (text := read_text(given, name, 300))}
        initial |= {name: text for name in ("first", "last") if parse_day(text := read_text(given, name))}
        if "level" in given:
            initial = {**cls(dataset).fill_groups(given), **initial}
        return cls(dataset, initial=initial)

    def clean_text(self) -> str:
        """The note, with nothing that a database refuses."""
        return UNSTORABLE.sub(" ", self.cleaned_data["text"]).strip()

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if "first" in data and "last" in data:
            self.check_days(data["first"], data["last"])
        if (
            "kind" in data
            and "amount" in data
            and (problem := find_wrong_amount(data["kind"], data["amount"]))
        ):
            self.add_error("amount", problem)
        if data.get("expires") and data["expires"] < timezone.localdate():
            self.add_error("expires", gettext("This day is over: the override would never count."))
        return data

    def check_days(self, first: date, last: date) -> None:
        """Adds an error to days that no forecast to come can cover."""
        sales = self.sales_of.current_version
        if first > last:
            self.add_error("last", gettext("The last day is before the first one."))
        elif (last - first).days >= MAX_DAYS:
            self.add_error("last", gettext("Choose at most %(days)d days.") % {"days": MAX_DAYS})
        elif sales is not None and last <= sales.last:
            words = {"day": format_day(sales.last.isoformat())}
            self.add_error("last", gettext("These days are over: sales are known up to %(day)s.") % words)
        elif sales is not None and first > sales.last + timedelta(days=MAX_AHEAD):
            self.add_error("first", gettext("This is more than %(days)d days ahead.") % {"days": MAX_AHEAD})

    def build(self, by: User) -> Override:
        """What the form asks for; not saved, and perhaps without a reason."""
        names = ("first", "last", "kind", "amount", "text", "expires")
        facts = {name: self.cleaned_data[name] for name in names}
        reason = self.cleaned_data.get("reason", "")
        override = Override(dataset=self.sales_of, created_by=by, reason=reason, **facts)
        override.selection = self.cleaned_data["selection"]
        return override


def parse_day(text: str) -> date | None:
    """The day of an ISO date; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def first_week(dataset: Dataset) -> dict[str, date]:
    """The first seven days ahead, as the form proposes them."""
    sales = dataset.current_version
    if sales is None:
        return {}
    return {"first": sales.last + timedelta(days=1), "last": sales.last + timedelta(days=7)}


def find_wrong_amount(kind: str, amount: float) -> str:
    """One sentence on what is wrong with the amount, or an empty string.

    >>> find_wrong_amount("percent", -120.0), find_wrong_amount("add", 5.0)
    ('A forecast can fall by 100 percent at most.', '')
    """
    if not isfinite(amount) or abs(amount) > MAX_UNITS:
        return gettext("This number is out of range.")
    if kind == Override.Kind.SET:
        return gettext("Units cannot be below 0.") if amount < 0 else ""
    if amount == 0:
        return gettext("Enter a change other than 0.")
    if kind == Override.Kind.PERCENT and amount < -100:
        return gettext("A forecast can fall by 100 percent at most.")
    if kind == Override.Kind.PERCENT and amount > MAX_PERCENT:
        return gettext("That is more than %(most)d percent: set the sum instead.") % {"most": MAX_PERCENT}
    return ""
