"""Form fields for the settings of an algorithm, generated from its config dataclass."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext

from registry.lib.form_fields import NOT_A_NUMBER, NOT_A_WHOLE_NUMBER, range_validators

KNOB_PREFIX = "knob"
MAX_NUMBER = 1_000_000_000  # of a knob without bounds
MAX_TEXT = 200  # characters of a knob that is a text


def build_knob_field(knob: dict[str, Any]) -> forms.Field:
    """The form field of a knob, given as name, type, default, help, min and max."""
    help_text = knob.get("help", "")
    common: dict[str, Any] = {
        "label": gettext(help_text) if help_text else knob["name"],
        "help_text": format_html("<code>{}</code>", knob["name"]),
        "initial": knob["default"],
    }
    kind, low, high = knob["type"], knob.get("min", -MAX_NUMBER), knob.get("max", MAX_NUMBER)
    if kind is bool:
        return forms.BooleanField(required=False, **common)
    if kind not in (int, float):
        return forms.CharField(max_length=MAX_TEXT, **common)
    limits = {"min": low, "max": high, "step": 1 if kind is int else "any"}
    message = NOT_A_WHOLE_NUMBER if kind is int else NOT_A_NUMBER
    number = forms.IntegerField if kind is int else forms.FloatField
    return number(
        validators=range_validators(low, high),
        widget=forms.NumberInput(attrs={name: limit for name, limit in limits.items() if limit is not None}),
        error_messages={"invalid": message, "required": message},
        **common,
    )


def describe_algorithm(algorithm: str) -> str:
    """One sentence on what the algorithm is good at; empty for an unknown one."""
    from registry import algorithms

    known = algorithm in dict(algorithms.list_choices())
    return gettext(algorithms.get_entry(algorithm).description) if known else ""


def build_knob_form(algorithm: str, data: QueryDict | None = None) -> forms.Form:
    """A form with a field for each knob; empty for an unknown algorithm."""
    from registry import algorithms

    form = forms.Form(data, prefix=KNOB_PREFIX)
    if algorithm in dict(algorithms.list_choices()):
        form.fields.update(
            {knob["name"]: build_knob_field(knob) for knob in algorithms.describe_knobs(algorithm)}
        )
    return form
