"""The form that asks for a forecast: product, store, days; the version is chosen unless one is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.forecast_page.question import Question
from prediction.forecast_page.series_form import SeriesForm
from prediction.forecast_page.version_choice import (
    find_version,
    has_learned,
    join_dataset,
    may_introduce,
    narrower_versions,
    ready_versions,
)
from prediction.models import Forecast
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.labels import version_title
from registry.lib.form_fields import NOT_IN_LIST, RowChoiceField, whole_number
from registry.lib.formatting import format_percent
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection
from registry.templatetags.pages import forecast_url

DAYS_AHEAD = 28


class VersionField(RowChoiceField[ModelVersion]):
    """Model versions, labelled with title, error and whether they are in use."""

    def label_from_instance(self, obj: Any) -> str:
        parts = [version_title(obj)]
        if obj.wape is not None:
            parts.append(gettext("error %(size)s") % {"size": format_percent(obj.wape)})
        if obj.is_best:
            parts.append(gettext("in use"))
        return " · ".join(parts)


class ForecastForm(SeriesForm):
    """Product and store (empty = all of them), days ahead, and a version if not the one in use."""

    token = forms.UUIDField(required=False, widget=forms.HiddenInput)
    horizon = whole_number(_("Days ahead"), 1, settings.MAX_HORIZON, initial=DAYS_AHEAD)
    version = VersionField(
        ModelVersion.objects.none(),
        label=_("Model version"),
        required=False,
        empty_label=_("The version in use"),
        error_messages={"invalid_choice": NOT_IN_LIST},
    )

    def __init__(self, sales_of: Dataset, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        given = {"token": uuid.uuid4(), **options.pop("initial", {})}
        super().__init__(sales_of, data, initial=given, **options)
        cast(VersionField, self.fields["version"]).queryset = ready_versions(sales_of).best_first()

    @property
    def has_no_version_in_use(self) -> bool:
        """Whether no version of the dataset has passed the gate or was put in use manually."""
        return not ModelVersion.objects.in_use().filter(model__dataset=self.sales_of).exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors:
            data["version"] = self.check_version(data["version"], data["selection"])
        return data

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
