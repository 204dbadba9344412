"""The knobs of an algorithm as form fields, generated from its config dataclass: a knob is written once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

KNOB_PREFIX = "knob"
WHOLE_NUMBER_MESSAGE = _("Write a whole number, like 28.")
NUMBER_MESSAGE = _("Write a number, like 0.5.")


def range_validators(low: float | None, high: float | None) -> list[Any]:
    """Validators whose sentences name the allowed range."""
    word = format_lazy(_("Choose a number from {low} to {high}."), low=low, high=high)
    if low is None or high is None:
        word = _("This number is outside of what is allowed.")
    given = [(MinValueValidator, low), (MaxValueValidator, high)]
    return [validator(limit, word) for validator, limit in given if limit is not None]


def whole_number_field(label: Any, low: int, high: int, **options: Any) -> forms.IntegerField:
    """A whole number in a range; every complaint is one translated sentence."""
    return forms.IntegerField(
        label=label,
        validators=range_validators(low, high),
        widget=forms.NumberInput(attrs={"min": low, "max": high}),
        error_messages={"invalid": WHOLE_NUMBER_MESSAGE, "required": WHOLE_NUMBER_MESSAGE},
        **options,
    )


def build_knob_field(knob: dict[str, Any]) -> forms.Field:
    """The form field of one knob: name, type, default, help, min, max (from the config dataclass)."""
    words = knob.get("help", "")
    common: dict[str, Any] = {
        "label": gettext(words) if words else knob["name"],
        "help_text": format_html("<code>{}</code>", knob["name"]),
        "initial": knob["default"],
    }
    kind, low, high = knob["type"], knob.get("min"), knob.get("max")
    if kind is bool:
        return forms.BooleanField(required=False, **common)
    if kind not in (int, float):
        return forms.CharField(**common)
    limits = {"min": low, "max": high, "step": 1 if kind is int else "any"}
    word = WHOLE_NUMBER_MESSAGE if kind is int else NUMBER_MESSAGE
    number = forms.IntegerField if kind is int else forms.FloatField
    return number(
        validators=range_validators(low, high),
        widget=forms.NumberInput(attrs={name: limit for name, limit in limits.items() if limit is not None}),
        error_messages={"invalid": word, "required": word},
        **common,
    )


def describe_algorithm(algorithm: str) -> str:
    """What the algorithm is good at, in one sentence; empty for an unknown one."""
    from registry import algorithms

    known = algorithm in dict(algorithms.list_choices())
    return gettext(algorithms.get_entry(algorithm).description) if known else ""


def build_knob_form(algorithm: str, data: QueryDict | None = None) -> forms.Form:
    """A form with one field per knob; an unknown algorithm has none (its own field complains)."""
    from registry import algorithms

    form = forms.Form(data, prefix=KNOB_PREFIX)
    if algorithm in dict(algorithms.list_choices()):
        form.fields.update(
            {knob["name"]: build_knob_field(knob) for knob in algorithms.describe_knobs(algorithm)}
        )
    return form
