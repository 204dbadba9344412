"""Admin of forecasts: to look, search and delete with files."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from prediction.models import Forecast
from registry.admin import ArtifactAdmin


@admin.register(Forecast)
class ForecastAdmin(ArtifactAdmin):
    """Every forecast made: who, when, with which version, how many units."""

    list_display = ("label", "version", "origin", "horizon", "units", "state", "created_at", "created_by")
    list_filter = ("state", "version__algorithm", "version__model__dataset")
    search_fields = ("store", "product", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("version__model__dataset", "created_by")

    @admin.display(description=_("units expected"), ordering="total")
    def units(self, obj: Forecast) -> str:
        return f"{obj.total:,.0f}"
