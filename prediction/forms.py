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
from registry.models import ModelVersion
from registry.names import Names, names_of

RANGE = format_lazy(_("Choose a number from {low} to {high}."), low=1, high=settings.MAX_HORIZON)
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


def searchable(name: str, label: Any, empty: Any) -> forms.CharField:
    """A text field with suggestions; left empty it means all of them."""
    attributes = {"list": f"{name}s", "autocomplete": "off", "spellcheck": "false", "placeholder": empty}
    return forms.CharField(label=label, required=False, max_length=100, widget=forms.TextInput(attributes))


class ForecastForm(forms.Form):
    """Which version, which store and product (none = all that the version learned), how many days."""

    version = VersionField(
        ModelVersion.objects.none(),
        label=_("Model"),
        empty_label=None,
        error_messages={"invalid_choice": NONE_CHOSEN, "required": NONE_CHOSEN},
    )
    product = searchable("product", _("Product"), _("All products"))
    store = searchable("store", _("Store"), _("All stores"))
    horizon = forms.IntegerField(
        label=_("Days ahead"),
        initial=28,
        validators=[MinValueValidator(1, RANGE), MaxValueValidator(settings.MAX_HORIZON, RANGE)],
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
    def nothing_in_use(self) -> bool:
        """Versions are there, but none has passed the gate or was put in use by hand."""
        return not ModelVersion.objects.in_use().exists()

    @property
    def picked(self) -> ModelVersion | None:
        """The version whose stores and products the page suggests."""
        value = self["version"].value()
        if isinstance(value, ModelVersion):
            return value
        try:
            found = self.fields["version"].clean(value)
        except forms.ValidationError:
            return None
        return found if isinstance(found, ModelVersion) else None

    @property
    def codes(self) -> dict[str, list[str]]:
        """Stores and products that the picked version can forecast."""
        version = self.picked
        if version is None:
            return {"stores": [], "products": []}
        data, scope = version.dataset_version, version.model.scope
        stores = [scope.code] if scope.kind == "store" else data.stores
        products = [scope.code] if scope.kind == "product" else data.products
        return {"stores": stores, "products": products}

    @property
    def suggestions(self) -> dict[str, list[tuple[str, str]]]:
        """The same codes, each with its name."""
        version = self.picked
        names = names_of(version.dataset_version) if version else Names()
        tables = {"stores": names.stores, "products": names.products}
        return {
            side: [(code, tables[side].get(code, "")) for code in codes] for side, codes in self.codes.items()
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if version := data.get("version"):
            names = names_of(version.dataset_version)
            data |= {kind: names.code(kind, data.get(kind, "")) for kind in ("store", "product")}
        if data.get("version"):
            self.check_code("store", data.get("store", ""), self.codes["stores"])
            self.check_code("product", data.get("product", ""), self.codes["products"])
        return data

    def check_code(self, name: str, code: str, known: list[str]) -> None:
        """One sentence at the field when the version has never seen that code."""
        if code and code not in known:
            word = _("This model does not know {code}: choose one from the list, like {near}.")
            self.add_error(name, format_lazy(word, code=f"“{code}”", near=", ".join(known[:3])))

    def make(self, user: Any) -> Forecast:
        """The finished forecast; raises ValueError or CorruptArtifact with one sentence."""
        data = self.cleaned_data
        made: Forecast = Forecast.objects.make(
            data["version"],
            store=data["store"],
            product=data["product"],
            horizon=data["horizon"],
            created_by=user,
        )
        return made
