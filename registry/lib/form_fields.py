"""Number fields of forms, and the sentences that every form uses for the same mistake."""

from __future__ import annotations

from typing import Any, TypeVar

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from registry.lib.request_values import fits_field

NOT_A_WHOLE_NUMBER = _("Enter a whole number, like 28.")
NOT_A_NUMBER = _("Enter a number, like 0.5.")
NOT_IN_LIST = _("Choose one from the list.")
Row = TypeVar("Row", bound=Model)


class RowChoiceField(forms.ModelChoiceField[Row]):
    """A row chosen by its id; whatever cannot be an id gets the same message as an unknown one."""

    def to_python(self, value: Any) -> Row | None:
        queryset = self.queryset
        is_text = queryset is not None and isinstance(value, str) and value not in self.empty_values
        if is_text and queryset is not None and not fits_field(queryset.model._meta.pk, value.strip()):
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice")
        try:
            found: Row | None = super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice") from None
        return found


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
