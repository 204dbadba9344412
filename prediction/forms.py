"""The form that makes a forecast."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.models import Forecast
from registry.autocomplete import make_code_field, resolve_code, similar_codes
from registry.lib.form_fields import NOT_IN_LIST, RowChoiceField, whole_number
from registry.lib.formatting import format_percent
from registry.model_versions.models import ModelVersion, known_codes


class VersionField(RowChoiceField[ModelVersion]):
    """Model versions, labelled with name, dataset, error and whether they are in use."""

    def label_from_instance(self, obj: Any) -> str:
        parts = [obj.name, obj.model.dataset.name]
        if obj.wape is not None:
            parts.append(gettext("error %(size)s") % {"size": format_percent(obj.wape)})
        if obj.is_best:
            parts.append(gettext("in use"))
        return " · ".join(parts)


class ForecastForm(forms.Form):
    """Model version, store and product (empty = the whole scope of the version), days ahead."""

    version = VersionField(
        ModelVersion.objects.none(),
        label=_("Model"),
        empty_label=None,
        error_messages={"invalid_choice": NOT_IN_LIST, "required": NOT_IN_LIST},
    )
    product = make_code_field("product", _("Product"), "version", placeholder=_("All products"))
    store = make_code_field("store", _("Store"), "version", placeholder=_("All stores"))
    horizon = whole_number(_("Days ahead"), 1, settings.MAX_HORIZON, initial=28)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        ready = ModelVersion.objects.ready().select_related("model__dataset", "dataset_version")
        field = cast(VersionField, self.fields["version"])
        field.queryset = ready.best_first()
        field.initial = ModelVersion.objects.in_use().first() or ready.best_first().first()

    @property
    def has_no_version_in_use(self) -> bool:
        """Whether no version has passed the gate or was put in use manually."""
        return not ModelVersion.objects.in_use().exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if version := data.get("version"):
            for kind in ("store", "product"):
                if typed := data.get(kind, ""):
                    data[kind] = self.check_code(version, kind, typed)
        return data

    def check_code(self, version: ModelVersion, kind: str, typed: str) -> str:
        """The code for the typed code or name; adds an error when the version did not learn it."""
        sales, known = version.dataset_version, known_codes(version, kind)
        code = resolve_code(sales, kind, typed)
        if code not in known:
            message = _("This model does not know {code}: choose one from the list, like {near}.")
            values = {"code": f"“{typed}”", "near": similar_codes(sales, kind, typed, known)}
            self.add_error(kind, format_lazy(message, **values))
        return code

    def make_forecast(self, user: Any) -> Forecast:
        """Makes and saves the forecast; raises ValueError or CorruptArtifact with one sentence."""
        data = self.cleaned_data
        made: Forecast = Forecast.objects.make_forecast(
            data["version"],
            store=data["store"],
            product=data["product"],
            horizon=data["horizon"],
            created_by=user,
        )
        return made
