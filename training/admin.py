"""Admin of training runs, their events and the queue's tables, whose pickles are never loaded."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q import admin as queue_admin  # registers its tables, so that they can be unregistered below

from registry.admin.actions import Action, ActionAdmin, Confirmation, register_action
from registry.admin.base import ReadOnlyAdmin, format_json
from registry.admin.model_versions import CHART_SCRIPTS, ModelVersionAdmin
from registry.admin.value_labels import AlgorithmFilter, ScopeFilter
from registry.labels import algorithm_label, event_text, scope_text, training_steps
from registry.lib.formatting import format_duration, format_percent
from registry.model_versions.models import ModelVersion
from training.events import RunEvent
from training.models import TrainingRun
from training.queue import repeat_run, retrain_version
from training.successors import explain_successor, queue_successor
from training.trial_table import build_trial_table, label_points

TRAIN_PERMISSION = "training.add_trainingrun"
COURSE_FIELDS = (
    "step_label",
    "progress_percent",
    "attempt",
    "started_at",
    "finished_at",
    "memory_mb",
    "host",
)


class StopTraining(Action):
    name, label, permission = "stop", _("Stop the training"), "training.change_trainingrun"

    def preview(self, row: TrainingRun) -> str:
        if row.has_ended:
            raise ValueError(gettext("It has ended already."))
        return gettext("Progress so far will be lost.")

    def execute(self, row: TrainingRun, confirmation: Confirmation) -> None:
        row.cancel(confirmation.by)


class RepeatTraining(Action):
    name, label, permission = "again", _("Start it again"), TRAIN_PERMISSION

    def preview(self, row: TrainingRun) -> str:
        if not row.has_ended:
            raise ValueError(gettext("It has not ended yet."))
        text = gettext("A new training with the same data (%(data)s), method and settings will be queued.")
        return text % {"data": row.dataset_version}

    def execute(self, row: TrainingRun, confirmation: Confirmation) -> None:
        repeat_run(row, confirmation.by, uuid.uuid5(confirmation.token, str(row.pk)))


class RetrainVersion(Action):
    name, label, permission = "retrain", _("Retrain on the newest sales"), TRAIN_PERMISSION

    def preview(self, row: ModelVersion) -> str:
        data = row.model.dataset.current_version
        if data is None:
            raise ValueError(gettext("%(dataset)s has no finished version.") % {"dataset": row.model.dataset})
        data.check_scope(row.model.scope)
        text = gettext("A new training of %(method)s on %(data)s with the same settings will be queued.")
        return text % {"method": algorithm_label(row.algorithm), "data": data}

    def execute(self, row: ModelVersion, confirmation: Confirmation) -> None:
        retrain_version(row, confirmation.by, uuid.uuid5(confirmation.token, str(row.pk)))


class RetrainOutdated(RetrainVersion):
    """For all that an earlier release made or that lack the newest sales, however many are selected."""

    name, label = "retrain_outdated", _("Retrain what is outdated")

    def preview(self, row: ModelVersion) -> str:
        return f"{explain_successor(row)} {super().preview(row)}"

    def execute(self, row: ModelVersion, confirmation: Confirmation) -> None:
        queue_successor(row, confirmation.by)


register_action(ModelVersionAdmin, RetrainVersion())
register_action(ModelVersionAdmin, RetrainOutdated())


@admin.register(TrainingRun)
class TrainingRunAdmin(ActionAdmin):
    """Training runs with settings, progress, outcome and learning curve."""

    row_actions = [StopTraining(), RepeatTraining()]
    change_form_template = "admin/training/trainingrun/change_form.html"
    list_display = (
        "training_label",
        "dataset_version",
        "state",
        "progress_percent",
        "version",
        "created_at",
        "created_by",
    )
    list_filter = (
        "state",
        ("algorithm", AlgorithmFilter),
        ("kind", ScopeFilter),
        "dataset_version__dataset",
    )
    search_fields = ("code", "algorithm", "error", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("dataset_version__dataset", "created_by", "version")
    fieldsets = (
        (None, {"fields": ("training_label", "dataset_version", "state", "translated_error", "version")}),
        (_("Request"), {"fields": ("horizon", "training_time", "seed", "created_at", "created_by")}),
        (_("Course"), {"fields": COURSE_FIELDS}),
        (_("Settings and estimate"), {"fields": ("formatted_config", "formatted_estimate")}),
    )
    readonly_fields = (
        "training_label",
        "training_time",
        "step_label",
        "progress_percent",
        "translated_error",
        "formatted_config",
        "formatted_estimate",
    )

    class Media:
        js = [*CHART_SCRIPTS, Script("charts/learning.js", defer=True)]

    def get_row_title(self, row: TrainingRun) -> str:
        return f"{self.training_label(row)} · {row.dataset_version}"

    @admin.display(description=_("training"), ordering="algorithm")
    def training_label(self, obj: TrainingRun) -> str:
        return f"{algorithm_label(obj.algorithm)} · {scope_text(obj.scope)}"

    @admin.display(description=_("training time"), ordering="budget")
    def training_time(self, obj: TrainingRun) -> str:
        return format_duration(obj.budget)

    @admin.display(description=_("progress"), ordering="progress")
    def progress_percent(self, obj: TrainingRun) -> str:
        return format_percent(obj.progress, 0)

    @admin.display(description=_("step"))
    def step_label(self, obj: TrainingRun) -> str:
        return next((step["word"] for step in training_steps(obj) if step["state"] == "now"), "—")

    @admin.display(description=_("reason"))
    def translated_error(self, obj: TrainingRun) -> str:
        return obj.error_text or "—"

    @admin.display(description=_("settings"))
    def formatted_config(self, obj: TrainingRun) -> SafeString:
        return format_json(obj.config)

    @admin.display(description=_("estimate"))
    def formatted_estimate(self, obj: TrainingRun) -> SafeString:
        return format_json(obj.estimate)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        run = options.get("obj")
        context["points"] = label_points(run.learning_curve, run) if run else []
        context["ended"] = run is not None and run.has_ended
        context["trials"] = build_trial_table(run) if run else None
        return super().render_change_form(request, context, *args, **options)


@admin.register(RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    """The training log: what each training said, and its learning curve."""

    list_display = ("at", "training_label", "kind", "level", "log_text")
    list_filter = ("kind", "level")
    search_fields = ("text", "run__code")
    list_select_related = ("run",)
    fields = ("at", "training_label", "seq", "kind", "level", "log_text", "formatted_data")
    readonly_fields = ("training_label", "log_text", "formatted_data")

    @admin.display(description=_("training"), ordering="run")
    def training_label(self, obj: RunEvent) -> str:
        return f"{algorithm_label(obj.run.algorithm)} · {scope_text(obj.run.scope)}"

    @admin.display(description=_("text"), ordering="text")
    def log_text(self, obj: RunEvent) -> str:
        return event_text(obj) if obj.text else "—"

    @admin.display(description=_("values"))
    def formatted_data(self, obj: RunEvent) -> SafeString:
        return format_json(obj.data)


class QueueTableAdmin(ReadOnlyAdmin):
    """A table of the queue; the columns that hold pickles are not loaded."""

    pickled_columns: tuple[str, ...] = ("args", "kwargs", "result")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).defer(*self.pickled_columns)
        return rows

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.pickled_columns


class FinishedTaskAdmin(QueueTableAdmin):
    """Finished jobs: what ran, when, how it ended."""

    list_display = ("name", "func", "cluster", "started", "stopped", "attempt_count")
    fields = list_display
    list_filter = ("cluster",)
    search_fields = ("name", "func")
    date_hierarchy = "started"


class QueuedTaskAdmin(QueueTableAdmin):
    """Waiting jobs; their payload is a signed pickle."""

    pickled_columns = ("payload",)
    list_display = ("id", "key", "lock")
    fields = list_display
    list_filter = ("key",)


for table in (queue_admin.Failure, queue_admin.OrmQ, queue_admin.Schedule, queue_admin.Success):
    admin.site.unregister(table)
admin.site.register([queue_admin.Failure, queue_admin.Success], FinishedTaskAdmin)
admin.site.register(queue_admin.OrmQ, QueuedTaskAdmin)
