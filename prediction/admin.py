"""Admin of forecasts: search, pin, archive, delete with files."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from prediction.models import Forecast
from registry.admin.actions import ActionAdmin
from registry.admin.artifact_actions import ARTIFACT_ACTIONS, DeleteArtifact
from registry.lib.formatting import format_whole_number


class DeleteForecast(DeleteArtifact):
    permission = "prediction.delete_forecast"


@admin.register(Forecast)
class ForecastAdmin(ActionAdmin):
    """Forecasts with owner, time, version, units and location of the file."""

    row_actions = [*ARTIFACT_ACTIONS, DeleteForecast()]
    list_display = (
        "forecast_label",
        "version",
        "origin",
        "units_text",
        "pinned",
        "file_location",
        "created_at",
        "created_by",
    )
    list_filter = ("state", "pinned", "version__algorithm", "version__model__dataset")
    search_fields = ("store", "product", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("version__model__dataset", "created_by")
    readonly_fields = ("archived_at",)

    @admin.display(description=_("forecast"))
    def forecast_label(self, obj: Forecast) -> str:
        return obj.label

    @admin.display(description=_("units expected"), ordering="total")
    def units_text(self, obj: Forecast) -> str:
        return format_whole_number(obj.total)

    @admin.display(description=_("file"), ordering="archived_at")
    def file_location(self, obj: Forecast) -> str:
        return obj.location_label
