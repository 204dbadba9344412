"""Admin of forecasts: look, search, pin, archive, delete with files."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from prediction.models import Forecast
from registry.admin.actions import ActingAdmin
from registry.admin.artifact_actions import KEEPING, Delete


class DeleteForecast(Delete):
    permission = "prediction.delete_forecast"


@admin.register(Forecast)
class ForecastAdmin(ActingAdmin):
    """Every forecast made: who, when, with which version, how many units, and where its file is."""

    acts = [*KEEPING, DeleteForecast()]
    list_display = ("label", "version", "origin", "units", "pinned", "kept", "created_at", "created_by")
    list_filter = ("state", "pinned", "version__algorithm", "version__model__dataset")
    search_fields = ("store", "product", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("version__model__dataset", "created_by")
    readonly_fields = ("archived_at",)

    @admin.display(description=_("forecast"))
    def label(self, obj: Forecast) -> str:
        return obj.label

    @admin.display(description=_("units expected"), ordering="total")
    def units(self, obj: Forecast) -> str:
        return f"{obj.total:,.0f}"

    @admin.display(description=_("file"), ordering="archived_at")
    def kept(self, obj: Forecast) -> str:
        return obj.whereabouts
