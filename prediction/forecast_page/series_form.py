"""What a form asks about: a product, a store or groups of them, as people type them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.forecast_page.typed_codes import TypedCode, UnknownCode
from registry.autocomplete import SIDES, make_code_field, resolve_code
from registry.datasets.levels import (
    GROUP_JOINT,
    describe_selection,
    group_label,
    read_levels,
    resolve_groups,
)
from registry.datasets.models import Dataset, list_codes
from registry.datasets.names import load_names
from registry.lib.form_fields import RowChoiceField
from registry.lib.request_values import clean_text
from registry.series.levels import Level, LevelValue, Selection, find_level
from registry.storage.artifacts import CorruptArtifact
from registry.templatetags.pages import forecast_url

MAX_GROUP, MAX_GROUPS = 300, 4  # characters of a group in an address, and groups of one


class SeriesForm(forms.Form):
    """Product and store (empty = all of them); a valid form has the `selection` that they mean."""

    address: ClassVar[Callable[..., str]] = staticmethod(forecast_url)  # of the same form with other values

    dataset = RowChoiceField[Dataset](Dataset.objects.all(), required=False, widget=forms.HiddenInput)
    product = make_code_field("product", _("Product"), "dataset", placeholder=_("All products"), groups=True)
    store = make_code_field("store", _("Store"), "dataset", placeholder=_("All stores"), groups=True)

    def __init__(self, sales_of: Dataset, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        given = {"dataset": sales_of.pk, **options.pop("initial", {})}
        self.sales_of = sales_of
        data = self.fill_groups(data) if data and "level" in data else data
        super().__init__(data, initial=given, **options)

    def fill_groups(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an address with its groups as texts, where it names no product or store."""
        asked = data.getlist("level") if isinstance(data, QueryDict) else data["level"]
        groups = [LevelValue.from_text(clean_text(text, MAX_GROUP)) for text in asked[:MAX_GROUPS]]
        given = {name: data[name] for name in data if data[name]}
        return {**self.type_groups(groups), **given}

    def clean(self) -> dict[str, Any]:
        data, groups = super().clean() or {}, list[LevelValue]()
        for kind in ("product", "store"):
            if data.get(kind):
                typed = self.find_groups(kind, data[kind])
                groups += typed
                data[kind] = "" if typed else self.check_code(kind, data[kind])
        if not {"product", "store"} & self.errors.keys():
            data["selection"] = Selection(data["store"], data["product"], tuple(groups))
        return data

    @cached_property
    def levels(self) -> Sequence[Level]:
        """The levels of the newest sales; none while their file cannot be read."""
        sales = self.sales_of.current_version
        try:
            return read_levels(sales) if sales else ()
        except CorruptArtifact:
            return ()

    def find_groups(self, kind: str, typed: str) -> tuple[LevelValue, ...]:
        """The groups that a text names; none if it is a code or the name of one."""
        sales = self.sales_of.current_version
        if sales is None or resolve_code(sales, kind, typed) in list_codes(sales, kind):
            return ()
        return resolve_groups(self.levels, SIDES[kind], typed)

    def type_groups(self, groups: Iterable[LevelValue]) -> dict[str, str]:
        """The texts that name these groups in the fields; one that the data lacks stands under products."""
        texts: dict[str, list[str]] = {"product": [], "store": []}
        for group in groups:
            level = find_level(self.levels, group.column)
            kind = "store" if level is not None and level.side == "stores" else "product"
            is_clear = self.find_groups(kind, group_label(group)) == (group,)
            texts[kind].append(group_label(group) if is_clear else str(group))
        return {kind: GROUP_JOINT.join(found) for kind, found in texts.items() if found}

    def check_code(self, kind: str, typed: str) -> str:
        """The code for the typed text; adds an error with a way on when it names none, or several."""
        sales = self.sales_of.current_version
        if sales is None:
            self.add_error(None, gettext("%(dataset)s has no sales yet.") % {"dataset": self.sales_of})
            return typed
        question = {name: str(self.data.get(name, "")) for name in ("product", "store", "horizon")}
        try:
            return TypedCode(sales, kind, typed, question, type(self).address).resolve()
        except UnknownCode as problem:
            self.add_error(kind, problem.args[0])
            return typed

    def format_selection(self, selection: Selection) -> str:
        """Product, groups and store with their names."""
        sales = self.sales_of.current_version
        return describe_selection(selection, load_names(sales)) if sales else ""
