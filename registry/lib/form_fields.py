"""Number fields of forms, and the sentences that every form uses for the same mistake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

NOT_A_WHOLE_NUMBER = _("Enter a whole number, like 28.")
NOT_A_NUMBER = _("Enter a number, like 0.5.")
NOT_IN_LIST = _("Choose one from the list.")


def whole_number(label: Any, low: int, high: int, **options: Any) -> forms.IntegerField:
    """A required whole number from `low` to `high`; each mistake gets one translated sentence."""
    return forms.IntegerField(
        label=label,
        validators=range_validators(low, high),
        widget=forms.NumberInput(attrs={"min": low, "max": high}),
        error_messages={"invalid": NOT_A_WHOLE_NUMBER, "required": NOT_A_WHOLE_NUMBER},
        **options,
    )


def range_validators(low: float | None, high: float | None) -> list[Any]:
    """Validators whose message names the allowed range; None leaves that side open."""
    message = format_lazy(_("Choose a number from {low} to {high}."), low=low, high=high)
    if low is None or high is None:
        message = _("This number is out of range.")
    limits = [(MinValueValidator, low), (MaxValueValidator, high)]
    return [validator(limit, message) for validator, limit in limits if limit is not None]
