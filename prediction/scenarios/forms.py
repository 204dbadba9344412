"""The form for a change of the plan: days, what changes on them, and for which series."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from prediction.scenarios.edits import PlanEdit
from registry.autocomplete import make_code_field, resolve_code
from registry.datasets.levels import describe_selection, group_label, read_levels
from registry.datasets.models import DatasetVersion, list_codes
from registry.datasets.names import load_names
from registry.lib.form_fields import NOT_A_NUMBER, NOT_IN_LIST, range_validators
from registry.series.levels import Level, LevelValue, Selection
from registry.storage.artifacts import CorruptArtifact

LEAST_PRICE, MOST_PRICE = -90, 200  # percent
MOST_GROUPS = 60  # values of levels among the choices
PROMOTIONS = {"on": True, "off": False}
OPENINGS = {"open": True, "closed": False}


class EditForm(forms.Form):
    """A change on some of the days ahead of a forecast."""

    days = forms.MultipleChoiceField(
        label=_("Days"),
        error_messages={"required": _("Choose at least one day."), "invalid_choice": NOT_IN_LIST},
    )
    promotion = forms.ChoiceField(
        label=_("Promotion"),
        required=False,
        choices=[("", _("as planned")), ("on", _("promotion")), ("off", _("no promotion"))],
    )
    price = forms.FloatField(
        label=_("Price, % more or less"),
        required=False,
        validators=range_validators(LEAST_PRICE, MOST_PRICE),
        widget=forms.NumberInput(
            {"min": LEAST_PRICE, "max": MOST_PRICE, "step": "any", "placeholder": "−10"}
        ),
        error_messages={"invalid": NOT_A_NUMBER},
    )
    opening = forms.ChoiceField(
        label=_("Stores"),
        required=False,
        choices=[("", _("as planned")), ("open", _("open")), ("closed", _("closed"))],
    )
    target = forms.ChoiceField(label=_("For"), error_messages={"invalid_choice": NOT_IN_LIST})
    product = make_code_field("product", _("Only this product"), "dataset")
    store = make_code_field("store", _("Only this store"), "dataset")

    def __init__(
        self,
        data: DatasetVersion,
        selection: Selection,
        horizon: int,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(given)
        self.sales, self.selection = data, selection
        self.dates = [data.last + timedelta(days=ahead) for ahead in range(1, horizon + 1)]
        fields: dict[str, Any] = self.fields
        fields["days"].choices = [(day.isoformat(), day.isoformat()) for day in self.dates]
        fields["target"].choices = list_targets(data, selection)
        known = {name for name, role in data.roles.items() if role == "known"}
        if not any(find_kind(name) == "promotion" for name in known):
            del fields["promotion"]
        if not any(find_kind(name) == "price" for name in known):
            del fields["price"]
        for kind in ("product", "store"):
            if getattr(selection, kind):
                del fields[kind]

    @property
    def weeks(self) -> list[list[dict[str, Any] | None]]:
        """The days ahead as rows of a calendar, Monday first; None where the calendar has no day."""
        chosen = set(self["days"].value() or [])
        cells: list[dict[str, Any] | None] = [None] * self.dates[0].weekday()
        cells += [
            {"day": day, "value": day.isoformat(), "checked": day.isoformat() in chosen} for day in self.dates
        ]
        cells += [None] * (-len(cells) % 7)
        return [cells[start : start + 7] for start in range(0, len(cells), 7)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for kind in ("product", "store"):
            if typed := data.get(kind):
                data[kind] = resolve_code(self.sales, kind, typed)
                if data[kind] not in list_codes(self.sales, kind):
                    self.add_error(kind, NOT_IN_LIST)
        changes = (data.get("promotion"), data.get("opening"), data.get("price"))
        if not self.errors and not any(changes):
            self.add_error(None, _text("Choose what changes: promotion, price or opening."))
        return data

    @property
    def edit(self) -> PlanEdit:
        """The change of a valid form."""
        data = self.cleaned_data
        target = selection_of(data["target"])
        store, product = data.get("store") or target.store, data.get("product") or target.product
        return PlanEdit(
            days=tuple(sorted(data["days"])),
            promotion=PROMOTIONS.get(data.get("promotion", "")),
            price=data["price"] / 100 if data.get("price") else None,
            opens=OPENINGS.get(data["opening"]),
            selection=Selection(store, product, target.levels),
        )


def find_kind(column: str) -> str:
    """The group of inputs of a column."""
    from registry.series.panels.column_groups import find_group

    return find_group(column)


def list_targets(data: DatasetVersion, selection: Selection) -> list[tuple[str, str]]:
    """What a change can be for: the forecast itself, its product, its store, groups, everything."""
    names = load_names(data)
    found = {selection: describe_selection(selection, names) or _text("everything")}
    if selection.product:
        only = Selection(product=selection.product)
        found.setdefault(
            only, _text("%(product)s in all stores") % {"product": names.format_product(only.product)}
        )
    if selection.store:
        only = Selection(selection.store)
        found.setdefault(only, _text("everything in %(store)s") % {"store": names.format_store(only.store)})
    for group in list_own_groups(data, selection)[:MOST_GROUPS]:
        found.setdefault(Selection(levels=(group,)), group_label(group))
    found.setdefault(Selection(), _text("everything"))
    return [(target_value(one), label) for one, label in found.items()]


def list_own_groups(data: DatasetVersion, selection: Selection) -> list[LevelValue]:
    """The groups that the forecast belongs to; all of them if it covers many."""
    try:
        levels: Sequence[Level] = read_levels(data)
    except CorruptArtifact:
        return []
    found = []
    for level in levels:
        code = selection.product if level.side == "products" else selection.store
        if code:
            found += [LevelValue(level.column, level.values[code])] if code in level.values else []
        else:
            found += [LevelValue(level.column, value) for value in level.counts]
    return found


def target_value(selection: Selection) -> str:
    return json.dumps([selection.store, selection.product, [str(group) for group in selection.levels]])


def selection_of(value: str) -> Selection:
    """The selection of a choice that the form itself has made."""
    store, product, groups = json.loads(value)
    return Selection(store, product, tuple(LevelValue.from_text(text) for text in groups))


class NameForm(forms.Form):
    """What a scenario is called, and who sees it."""

    name = forms.CharField(label=_("Name"), max_length=80)
    is_shared = forms.BooleanField(label=_("Visible to everybody"), required=False)
