"""The form that makes a forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.models import Forecast
from registry.autocomplete import make_code_field, resolve_code, similar_codes
from registry.model_versions.models import ModelVersion, known_codes

RANGE_MESSAGE = format_lazy(_("Choose a number from {low} to {high}."), low=1, high=settings.MAX_HORIZON)
NOT_WHOLE = _("Write a whole number, like 28.")
NONE_CHOSEN = _("Choose one from the list.")


if TYPE_CHECKING:
    VersionChoice = forms.ModelChoiceField[ModelVersion]
else:  # only the stubs know the type parameter
    VersionChoice = forms.ModelChoiceField


class VersionField(VersionChoice):
    """Versions with what a buyer needs to choose: name, data, error, and which one is in use."""

    def to_python(self, value: Any) -> ModelVersion | None:
        """A text that is no id at all is just as little in the list."""
        try:
            return super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice") from None

    def label_from_instance(self, obj: Any) -> str:
        parts = [obj.name, obj.model.dataset.name]
        if obj.wape is not None:
            parts.append(gettext("error %(size)s") % {"size": f"{obj.wape:.1%}"})
        if obj.is_best:
            parts.append(gettext("in use"))
        return " · ".join(parts)


class ForecastForm(forms.Form):
    """Which version, which store and product (none = all that the version learned), how many days."""

    version = VersionField(
        ModelVersion.objects.none(),
        label=_("Model"),
        empty_label=None,
        error_messages={"invalid_choice": NONE_CHOSEN, "required": NONE_CHOSEN},
    )
    product = make_code_field("product", _("Product"), "version", placeholder=_("All products"))
    store = make_code_field("store", _("Store"), "version", placeholder=_("All stores"))
    horizon = forms.IntegerField(
        label=_("Days ahead"),
        initial=28,
        validators=[
            MinValueValidator(1, RANGE_MESSAGE),
            MaxValueValidator(settings.MAX_HORIZON, RANGE_MESSAGE),
        ],
        widget=forms.NumberInput(attrs={"min": 1, "max": settings.MAX_HORIZON}),
        error_messages={"invalid": NOT_WHOLE, "required": NOT_WHOLE},
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        ready = ModelVersion.objects.ready().select_related("model__dataset", "dataset_version")
        field = cast(VersionField, self.fields["version"])
        field.queryset = ready.best_first()
        field.initial = ModelVersion.objects.in_use().first() or ready.best_first().first()

    @property
    def has_no_version_in_use(self) -> bool:
        """Versions are there, but none has passed the gate or was put in use by hand."""
        return not ModelVersion.objects.in_use().exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if version := data.get("version"):
            for kind in ("store", "product"):
                if typed := data.get(kind, ""):
                    data[kind] = self.check_code(version, kind, typed)
        return data

    def check_code(self, version: ModelVersion, kind: str, typed: str) -> str:
        """The code of what was typed; one sentence at the field when the version has never seen it."""
        sales, known = version.dataset_version, known_codes(version, kind)
        code = resolve_code(sales, kind, typed)
        if code not in known:
            word = _("This model does not know {code}: choose one from the list, like {near}.")
            words = {"code": f"“{typed}”", "near": similar_codes(sales, kind, typed, known)}
            self.add_error(kind, format_lazy(word, **words))
        return code

    def make_forecast(self, user: Any) -> Forecast:
        """The finished forecast; raises ValueError or CorruptArtifact with one sentence."""
        data = self.cleaned_data
        made: Forecast = Forecast.objects.make_forecast(
            data["version"],
            store=data["store"],
            product=data["product"],
            horizon=data["horizon"],
            created_by=user,
        )
        return made
