"""The form that asks for a forecast: product, store, days; the version is chosen unless one is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.forecast_page.question import Question
from prediction.forecast_page.typed_codes import TypedCode, UnknownCode
from prediction.forecast_page.version_choice import (
    find_version,
    has_learned,
    join_dataset,
    may_introduce,
    narrower_versions,
    ready_versions,
)
from prediction.models import Forecast
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
from registry.labels import version_title
from registry.lib.form_fields import NOT_IN_LIST, RowChoiceField, whole_number
from registry.lib.formatting import format_percent
from registry.lib.request_values import clean_text
from registry.model_versions.models import ModelVersion
from registry.series.levels import Level, LevelValue, Selection, find_level
from registry.storage.artifacts import CorruptArtifact
from registry.templatetags.pages import forecast_url

DAYS_AHEAD = 28
MAX_GROUP, MAX_GROUPS = 300, 4  # characters of a group in an address, and groups of one


class VersionField(RowChoiceField[ModelVersion]):
    """Model versions, labelled with title, error and whether they are in use."""

    def label_from_instance(self, obj: Any) -> str:
        parts = [version_title(obj)]
        if obj.wape is not None:
            parts.append(gettext("error %(size)s") % {"size": format_percent(obj.wape)})
        if obj.is_best:
            parts.append(gettext("in use"))
        return " · ".join(parts)


class ForecastForm(forms.Form):
    """Product and store (empty = all of them), days ahead, and a version if not the one in use."""

    dataset = RowChoiceField[Dataset](Dataset.objects.all(), required=False, widget=forms.HiddenInput)
    token = forms.UUIDField(required=False, widget=forms.HiddenInput)
    product = make_code_field("product", _("Product"), "dataset", placeholder=_("All products"), groups=True)
    store = make_code_field("store", _("Store"), "dataset", placeholder=_("All stores"), groups=True)
    horizon = whole_number(_("Days ahead"), 1, settings.MAX_HORIZON, initial=DAYS_AHEAD)
    version = VersionField(
        ModelVersion.objects.none(),
        label=_("Model version"),
        required=False,
        empty_label=_("The version in use"),
        error_messages={"invalid_choice": NOT_IN_LIST},
    )

    def __init__(self, sales_of: Dataset, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        given = {"dataset": sales_of.pk, "token": uuid.uuid4(), **options.pop("initial", {})}
        self.sales_of = sales_of
        data = self.fill_groups(data) if data and "level" in data else data
        super().__init__(data, initial=given, **options)
        cast(VersionField, self.fields["version"]).queryset = ready_versions(sales_of).best_first()

    def fill_groups(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an address with its groups as texts, where it names no product or store."""
        asked = data.getlist("level") if isinstance(data, QueryDict) else data["level"]
        groups = [LevelValue.from_text(clean_text(text, MAX_GROUP)) for text in asked[:MAX_GROUPS]]
        given = {name: data[name] for name in data if data[name]}
        return {**self.type_groups(groups), **given}

    @property
    def has_no_version_in_use(self) -> bool:
        """Whether no version of the dataset has passed the gate or was put in use manually."""
        return not ModelVersion.objects.in_use().filter(model__dataset=self.sales_of).exists()

    def clean(self) -> dict[str, Any]:
        data, groups = super().clean() or {}, list[LevelValue]()
        for kind in ("product", "store"):
            if data.get(kind):
                typed = self.find_groups(kind, data[kind])
                groups += typed
                data[kind] = "" if typed else self.check_code(kind, data[kind])
        if not self.errors:
            data["selection"] = Selection(data["store"], data["product"], tuple(groups))
            data["version"] = self.check_version(data["version"], data["selection"])
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
            return TypedCode(sales, kind, typed, question).resolve()
        except UnknownCode as problem:
            self.add_error(kind, problem.args[0])
            return typed

    def check_version(self, chosen: ModelVersion | None, selection: Selection) -> ModelVersion | None:
        """The chosen version, else the one that fits; adds an error when it has not learned the series."""
        version = join_dataset(chosen, self.sales_of) if chosen else find_version(self.sales_of, selection)
        if version is None and selection.is_whole:
            self.add_error(None, self.list_narrower())
        elif version is None or not (has_learned(version, selection) or may_introduce(version, selection)):
            words = {
                "model": version.title if version else gettext("The version in use"),
                "series": self.format_selection(selection),
            }
            sentence = gettext(
                "%(model)s has not learned %(series)s: choose another one, or train on the newest sales."
            )
            self.add_error("version" if chosen else None, sentence % words)
        return version

    def list_narrower(self) -> str:
        """That no version covers everything, with links to those of single stores or products."""
        sentence = gettext("No model covers all products and stores yet.")
        versions = narrower_versions(self.sales_of)
        if not versions:
            return sentence
        links = [(forecast_url(version=version.pk), version_title(version)) for version in versions]
        listed = format_html_join(" · ", '<a href="{}">{}</a>', links)
        return format_html("{} {} {}", sentence, gettext("Forecast with:"), listed)

    def format_selection(self, selection: Selection) -> str:
        """Product, groups and store with their names."""
        sales = self.sales_of.current_version
        return describe_selection(selection, load_names(sales)) if sales else ""

    @property
    def question(self) -> Question:
        """What a valid form asks."""
        data = self.cleaned_data
        return Question(data["version"], data["selection"], data["horizon"])

    def save_forecast(self, user: User) -> Forecast:
        """The forecast, saved once however often the form is sent."""
        return self.question.save(self.cleaned_data["token"] or uuid.uuid4(), user)


def form_for(forecast: Forecast) -> ForecastForm:
    """The form filled in with what the forecast answers; its version only if another would be chosen."""
    names, asked = load_names(forecast.dataset_version), forecast.selection
    dataset = forecast.version.model.dataset
    is_usual = forecast.version.is_best and forecast.version.model.kind == "global"
    usual = forecast.version if is_usual else find_version(dataset, asked)
    form = ForecastForm(dataset)
    form.initial = {
        **form.initial,
        "product": names.format_product(asked.product) if asked.product else "",
        "store": names.format_store(asked.store) if asked.store else "",
        **form.type_groups(asked.levels),
        "horizon": forecast.horizon,
        "version": None if usual == forecast.version else forecast.version_id,
    }
    return form
