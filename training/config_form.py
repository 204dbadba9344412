"""Form fields for the settings of an algorithm, generated from its config dataclass."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from registry.lib.form_fields import NOT_A_NUMBER, NOT_A_WHOLE_NUMBER, range_validators

KNOB_PREFIX = "knob"
OWNER_NAME = "settings-of"  # of a hidden input: the algorithm whose settings the page shows
MAX_NUMBER = 1_000_000_000  # of a knob without bounds
MAX_TEXT = 200  # characters of a knob that is a text


def build_knob_field(knob: dict[str, Any]) -> forms.Field:
    """The form field of a knob, given as name, type, default, label, help, min and max."""
    label, help_text = knob.get("label", ""), knob.get("help", "")
    common: dict[str, Any] = {
        "label": gettext(label) if label else knob["name"].replace("_", " ").capitalize(),
        "help_text": gettext(help_text) if help_text else "",
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


class KnobForm(forms.Form):
    """The settings of an algorithm."""

    algorithm = ""


def build_knob_form(algorithm: str, data: QueryDict | None = None) -> KnobForm:
    """A form with a field for each knob; empty for an unknown algorithm."""
    from registry import algorithms

    known = algorithm in dict(algorithms.list_choices())
    knobs = algorithms.describe_knobs(algorithm) if known else []
    given = None if data is None else fill_in_defaults(algorithm, knobs, data)
    form = KnobForm(given, prefix=KNOB_PREFIX)
    form.algorithm = algorithm
    form.fields.update({knob["name"]: build_knob_field(knob) for knob in knobs})
    return form


def fill_in_defaults(algorithm: str, knobs: list[dict[str, Any]], data: QueryDict) -> dict[str, Any]:
    """The values that were sent, with the default of each knob that was not.

    The page may have been sent before the settings of its method arrived; then it holds those of another.
    """
    owner = data.get(OWNER_NAME, "")
    values = {}
    for knob in knobs:
        name = f"{KNOB_PREFIX}-{knob['name']}"
        if name in data and owner in ("", algorithm):
            values[name] = data[name]
        elif knob["type"] is not bool or owner != algorithm:  # a box that is not ticked is not sent
            values[name] = knob["default"]
    return values
