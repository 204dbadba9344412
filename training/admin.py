"""Admin of training runs, their events, and of the queue's own tables, which are never unpickled."""

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
from django_q import admin as queue  # registers its tables now, so that they can be taken off again

from registry.admin.actions import ActingAdmin, Action, Asked
from registry.admin.base import HistoryAdmin, as_percent, pretty
from registry.admin.model_versions import CHARTS, ModelVersionAdmin
from registry.model_versions.models import ModelVersion
from training.events import RunEvent
from training.models import TrainingRun
from training.queue import repeat, retrain

FLAGS = ("cancel_requested", "finish_requested")  # between the page and the worker
TRAIN = "training.add_trainingrun"


class Stop(Action):
    name, label, permission = "stop", _("Stop the training"), "training.change_trainingrun"

    def plan(self, row: TrainingRun) -> str:
        if row.ended:
            raise ValueError(gettext("It has ended already."))
        return gettext("What it has learned so far is thrown away.")

    def do(self, row: TrainingRun, asked: Asked) -> None:
        row.cancel(asked.by)


class Again(Action):
    name, label, permission = "again", _("Start it again"), TRAIN

    def plan(self, row: TrainingRun) -> str:
        if not row.ended:
            raise ValueError(gettext("It has not ended yet."))
        words = gettext("A new training with the same data (%(data)s), method and settings joins the queue.")
        return words % {"data": row.dataset_version}

    def do(self, row: TrainingRun, asked: Asked) -> None:
        repeat(row, asked.by, uuid.uuid5(asked.token, str(row.pk)))


class Retrain(Action):
    name, label, permission = "retrain", _("Train it again on the newest sales"), TRAIN

    def plan(self, row: ModelVersion) -> str:
        data = row.model.dataset.current
        if data is None:
            raise ValueError(gettext("%(dataset)s has no finished version.") % {"dataset": row.model.dataset})
        data.check_scope(row.model.scope)
        words = gettext("A new training of %(method)s on %(data)s with the same settings joins the queue.")
        return words % {"method": row.algorithm, "data": data}

    def do(self, row: ModelVersion, asked: Asked) -> None:
        retrain(row, asked.by, uuid.uuid5(asked.token, str(row.pk)))


ModelVersionAdmin.acts.append(Retrain())  # versions are the registry's, training them is not


@admin.register(TrainingRun)
class TrainingRunAdmin(ActingAdmin):
    """Every attempt to learn: what was asked, where it stands, how it ended, its learning curve."""

    acts = [Stop(), Again()]
    change_form_template = "admin/training/trainingrun/change_form.html"
    list_display = (
        "__str__",
        "dataset_version",
        "state",
        "done",
        "attempt",
        "created_at",
        "created_by",
        "version",
    )
    list_filter = ("state", "algorithm", "kind", "dataset_version__dataset")
    search_fields = ("code", "algorithm", "error", "version__name")
    date_hierarchy = "created_at"
    list_select_related = ("dataset_version__dataset", "created_by", "version")
    exclude = ("config", "estimate", "progress", "last_seq", "lease_until", *FLAGS)
    readonly_fields = ("done", "config_text", "estimate_text")

    class Media:
        js = [*CHARTS, Script("learning-chart.js", defer=True)]

    @admin.display(description=_("progress"), ordering="progress")
    def done(self, obj: TrainingRun) -> str:
        return as_percent(obj.progress)

    @admin.display(description=_("settings"))
    def config_text(self, obj: TrainingRun) -> SafeString:
        return pretty(obj.config)

    @admin.display(description=_("estimate"))
    def estimate_text(self, obj: TrainingRun) -> SafeString:
        return pretty(obj.estimate)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        run = options.get("obj")
        context["points"] = run.points if run else []
        return super().render_change_form(request, context, *args, **options)


@admin.register(RunEvent)
class RunEventAdmin(HistoryAdmin):
    """The story of the runs, line by line."""

    list_display = ("run", "seq", "kind", "level", "text", "at")
    list_filter = ("kind", "level")
    search_fields = ("text", "run__code")
    list_select_related = ("run",)
    exclude = ("data",)
    readonly_fields = ("data_text",)

    @admin.display(description=_("values"))
    def data_text(self, obj: RunEvent) -> SafeString:
        return pretty(obj.data)


class UnreadAdmin(HistoryAdmin):
    """A table of the queue: its pickles stay in the database, only the plain columns are read."""

    pickles: tuple[str, ...] = ("args", "kwargs", "result")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).defer(*self.pickles)
        return rows

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.pickles


class TaskAdmin(UnreadAdmin):
    """What the queue's workers did: which job, when, how it ended."""

    list_display = ("name", "func", "cluster", "started", "stopped", "attempt_count")
    list_filter = ("cluster",)
    search_fields = ("name", "func")
    date_hierarchy = "started"


class WaitingAdmin(UnreadAdmin):
    """Jobs that wait; what they hold is a signed pickle."""

    pickles = ("payload",)
    list_display = ("id", "key", "lock")
    list_filter = ("key",)


for table in (queue.Failure, queue.OrmQ, queue.Schedule, queue.Success):
    admin.site.unregister(table)
admin.site.register([queue.Failure, queue.Success], TaskAdmin)
admin.site.register(queue.OrmQ, WaitingAdmin)
