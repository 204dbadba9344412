"""Admin of training runs and their events. The queue's own tables are not shown: that would unpickle."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_q import admin as queue  # registers its tables now, so that they can be taken off again

from registry.admin import HistoryAdmin, as_percent, pretty
from training.events import RunEvent
from training.models import TrainingRun

# django-q2 shows arguments and results of its rows by unpickling them: nobody needs that in a browser.
for table in (queue.Failure, queue.OrmQ, queue.Schedule, queue.Success):
    admin.site.unregister(table)


@admin.register(TrainingRun)
class TrainingRunAdmin(HistoryAdmin):
    """Every attempt to learn: what was asked, where it stands, how it ended."""

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
    exclude = ("config",)
    readonly_fields = ("config_text",)

    @admin.display(description=_("progress"), ordering="progress")
    def done(self, obj: TrainingRun) -> str:
        return as_percent(obj.progress)

    @admin.display(description=_("settings"))
    def config_text(self, obj: TrainingRun) -> SafeString:
        return pretty(obj.config)


@admin.register(RunEvent)
class RunEventAdmin(HistoryAdmin):
    """The story of the runs, line by line."""

    list_display = ("run", "seq", "kind", "level", "text", "at")
    list_filter = ("kind", "level")
    search_fields = ("text", "run__code")
    date_hierarchy = "at"
    list_select_related = ("run",)
    show_full_result_count = False
