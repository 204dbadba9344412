"""Admin of forecasts: search, pin, archive, delete with files."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.models import AccuracyAlert, Forecast, ForecastRun, Override
from prediction.order_runs import admin as order_admin  # noqa: F401  # registers its tables
from prediction.overrides.changing import withdraw_override
from prediction.runs.current import may_be_current, may_go_back, promote_run, roll_back
from registry.admin.actions import Action, ActionAdmin, Confirmation
from registry.admin.artifact_actions import ARTIFACT_ACTIONS, DeleteArtifact
from registry.admin.base import ReadOnlyAdmin, yes_or_dash
from registry.admin.file_columns import ARCHIVABLE_FIELDS, ArchivableColumns
from registry.admin.value_labels import AlgorithmFilter
from registry.labels import scope_text
from registry.lib.formatting import format_whole_number


class DeleteForecast(DeleteArtifact):
    permission = "prediction.delete_forecast"


@admin.register(Forecast)
class ForecastAdmin(ArchivableColumns, ActionAdmin):
    """Forecasts with owner, time, version, units and location of the file."""

    row_actions = [*ARTIFACT_ACTIONS, DeleteForecast()]
    list_display = (
        "forecast_label",
        "version",
        "origin",
        "units_text",
        "pinned_text",
        "file_location",
        "created_at",
        "created_by",
    )
    list_filter = ("state", "pinned", ("version__algorithm", AlgorithmFilter), "version__model__dataset")
    search_fields = ("store", "product", "levels", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("version__model__dataset", "created_by")
    fieldsets = (
        (
            None,
            {"fields": ("forecast_label", "version", "dataset_version", "state", "created_at", "created_by")},
        ),
        (_("Result"), {"fields": ("origin", "horizon", "units_text", "range_text")}),
        ARCHIVABLE_FIELDS,
    )
    readonly_fields = (
        "forecast_label",
        "units_text",
        "range_text",
        "pinned_text",
        "file_location",
        "file_path",
        "size_text",
        "archived_at",
    )

    def get_row_title(self, row: Forecast) -> str:
        return f"{self.forecast_label(row)} · {date_format(row.origin)} + {row.horizon}"

    @admin.display(description=_("forecast"))
    def forecast_label(self, obj: Forecast) -> str:
        return scope_text(obj.version.model.scope) if obj.selection.is_whole else obj.label

    @admin.display(description=_("units expected"), ordering="total")
    def units_text(self, obj: Forecast) -> str:
        return format_whole_number(obj.total)

    @admin.display(description=_("likely range (80%)"))
    def range_text(self, obj: Forecast) -> str:
        return f"{format_whole_number(obj.low)}–{format_whole_number(obj.high)}"


class PromoteRun(Action):
    """Makes a run the current forecast of its dataset."""

    name, label, needs_reason = "promote", _("Make it the current one"), True
    permission = "prediction.change_forecastrun"

    def preview(self, row: ForecastRun) -> str:
        if row.is_current:
            raise ValueError(gettext("It is the current forecast already."))
        if not may_be_current(row):
            raise ValueError(gettext("Only a finished forecast of everything can be the current one."))
        return gettext("Overview, products and orders will read it until the sales or the version change.")

    def check_selection(self, row: ForecastRun, rows: list[ForecastRun]) -> None:
        rivals = [one for one in rows if one.dataset_version.dataset_id == row.dataset_version.dataset_id]
        if len(rivals) > 1:
            raise ValueError(gettext("Only one run of a dataset can be current: select one of them."))

    def execute(self, row: ForecastRun, confirmation: Confirmation) -> None:
        promote_run(row, confirmation.reason, confirmation.by)


class RollBackRun(Action):
    """Makes the run before the current one current again."""

    name, label, permission = "roll_back", _("Back to the run before"), "prediction.change_forecastrun"

    def preview(self, row: ForecastRun) -> str:
        if not row.is_current:
            raise ValueError(gettext("It is not the current forecast."))
        if not may_go_back(row):
            raise ValueError(gettext("There is no earlier forecast to go back to."))
        return gettext("The run before it will be current again.")

    def execute(self, row: ForecastRun, confirmation: Confirmation) -> None:
        roll_back(row, confirmation.by)


@admin.register(AccuracyAlert)
class AccuracyAlertAdmin(ReadOnlyAdmin):
    """Alerts of drift, also the closed ones."""

    list_display = ("__str__", "state", "first", "last", "weeks", "change", "opened_at", "changed_by")
    list_filter = ("state", "kind", "dataset")
    list_select_related = ("dataset", "changed_by")


class WithdrawOverride(Action):
    """Ends an override for all forecasts to come."""

    name, label, permission = "withdraw", _("Withdraw"), "prediction.change_override"

    def preview(self, row: Override) -> str:
        if row.is_withdrawn:
            raise ValueError(gettext("This override was withdrawn before."))
        return gettext("Forecasts to come leave it out; those made with it stay as they are.")

    def execute(self, row: Override, confirmation: Confirmation) -> None:
        withdraw_override(row, confirmation.by)


@admin.register(Override)
class OverrideAdmin(ActionAdmin):
    """Overrides, also those that are withdrawn or over."""

    row_actions = [WithdrawOverride()]
    list_display = ("__str__", "kind", "amount", "reason", "created_at", "created_by", "withdrawn_at")
    list_filter = ("reason", "kind", "dataset", "created_by")
    search_fields = ("store", "product", "levels", "text")
    date_hierarchy = "created_at"
    list_select_related = ("dataset", "created_by")
    readonly_fields = ("withdrawn_at", "withdrawn_by")


class DeleteRun(DeleteArtifact):
    permission = "prediction.delete_forecastrun"


@admin.register(ForecastRun)
class ForecastRunAdmin(ArchivableColumns, ActionAdmin):
    """Runs with their stage, reason, size and location of the file."""

    row_actions = [PromoteRun(), RollBackRun(), *ARTIFACT_ACTIONS, DeleteRun()]
    list_display = (
        "__str__",
        "stage",
        "current_text",
        "reason",
        "series",
        "pinned_text",
        "file_location",
        "created_at",
    )
    list_filter = ("stage", "reason", "state", "pinned", "dataset_version__dataset")
    search_fields = ("version__name",)
    date_hierarchy = "created_at"
    list_select_related = ("version__model__dataset", "dataset_version__dataset", "created_by")
    fieldsets = (
        (None, {"fields": ("version", "dataset_version", "reason", "created_at", "created_by")}),
        (
            _("Result"),
            {
                "fields": (
                    "stage",
                    "error_shown",
                    "origin",
                    "as_of",
                    "horizon",
                    "series",
                    "rows",
                    "seconds",
                    "seed",
                )
            },
        ),
        ARCHIVABLE_FIELDS,
    )
    readonly_fields = (
        "error_shown",
        "current_text",
        "pinned_text",
        "file_location",
        "file_path",
        "size_text",
        "archived_at",
    )

    @admin.display(description=_("reason"))
    def error_shown(self, obj: ForecastRun) -> str:
        return obj.error_text

    @admin.display(description=_("current"))
    def current_text(self, obj: ForecastRun) -> str:
        return yes_or_dash(obj.is_current)

    @admin.display(description=_("size"))
    def size_text(self, obj: ForecastRun) -> str:  # type: ignore[override]
        """Of its three files."""
        return filesizeformat(obj.total_size)
