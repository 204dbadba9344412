"""What the pages of automation show: plans, sources and steps in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, Count, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from forecastsite.automation.forms import WEEKDAYS
from forecastsite.automation.models import Plan, PlanRun, PlanStep
from registry.datasets.models import Dataset
from registry.datasets.sources.models import Source, SourceFile
from registry.lib.formatting import join_names

LINK_LABELS = {
    "source": gettext_noop("Open the source"),
    "dataset": gettext_noop("See the data"),
    "run": gettext_noop("See the training"),
    "model": gettext_noop("See the version"),
    "products-run": gettext_noop("See the forecast"),
    "accuracy": gettext_noop("See the accuracy"),
    "orders-run": gettext_noop("See the order"),
}
EVERY_DAY = 7


@dataclass(frozen=True)
class PlanRow:
    """A plan with its times in words and its last run."""

    plan: Plan
    when: str
    training: str
    last_run: PlanRun | None


@dataclass(frozen=True)
class Trouble:
    """A source with so many held files (`page` is source), or a failed run (planrun); `key` is its id."""

    page: str
    key: str
    name: str
    count: int

    @property
    def address(self) -> str:
        """Where it is looked into."""
        return reverse(self.page, args=[UUID(self.key) if self.page == "planrun" else self.key])


@dataclass(frozen=True)
class StepRow:
    """A step with its links: (address, label)."""

    step: PlanStep
    links: list[tuple[str, str]]


def describe_plan(plan: Plan) -> PlanRow:
    """The row of a plan."""
    return PlanRow(plan, describe_times(plan), describe_training(plan), plan.runs.first())


def describe_times(plan: Plan) -> str:
    """When it starts."""
    if plan.trigger == Plan.Trigger.SALES:
        return _("when new sales came")
    chosen = [str(label) for day, label in WEEKDAYS if day in plan.weekdays.split(",")]
    days = _("every day") if len(chosen) == EVERY_DAY else join_names(chosen)
    words = {"days": days, "time": time_format(plan.at, "H:i"), "zone": plan.time_zone}
    return _("%(days)s at %(time)s (%(zone)s)") % words


def describe_training(plan: Plan) -> str:
    """When it trains."""
    count = plan.retrain_weeks
    weeks = ngettext("every %(count)s week", "every %(count)s weeks", count) % {"count": count}
    drift = _("when sales have left the forecasts")
    return {
        Plan.Retrain.NEVER.value: _("never"),
        Plan.Retrain.WEEKS.value: weeks,
        Plan.Retrain.DRIFT.value: drift,
        Plan.Retrain.BOTH.value: _("%(weeks)s, and %(drift)s") % {"weeks": weeks, "drift": drift},
    }[plan.retrain]


def list_sources(dataset: Dataset | None) -> list[Source]:
    """The sources of a dataset with `held`, how many files wait for a curator."""
    held = Count("files", filter=Q(files__state=SourceFile.State.HELD, files__upload__isnull=False))
    return list(Source.objects.filter(dataset=dataset).annotate(held=held))


def list_troubles(dataset: Dataset) -> list[Trouble]:
    """Sources that hold files for a curator, and plans whose last run failed, in one query."""
    waiting = SourceFile.objects.filter(source__dataset=dataset, state=SourceFile.State.HELD)
    held = (
        waiting.filter(upload__isnull=False)
        .order_by()
        .values("source_id")
        .annotate(
            page=Value("source"),
            key=Cast("source_id", CharField()),
            name=F("source__name"),
            count=Count("pk"),
        )
    )
    newest = PlanRun.objects.filter(plan=OuterRef("plan")).order_by("-created_at").values("pk")[:1]
    runs = PlanRun.objects.filter(dataset=dataset, plan__is_enabled=True, pk=Subquery(newest))
    failed = (
        runs.filter(stage=PlanRun.Stage.FAILED)
        .order_by()
        .annotate(page=Value("planrun"), key=Cast("pk", CharField()), name=F("plan__name"), count=Value(1))
    )
    columns = ("page", "key", "name", "count")
    return [Trouble(*row) for row in held.values_list(*columns).union(failed.values_list(*columns))]


def show_steps(run: PlanRun) -> list[StepRow]:
    """The steps of a run in their order."""
    return [StepRow(step, list_links(step)) for step in run.steps.order_by("place")]


def list_links(step: PlanStep) -> list[tuple[str, str]]:
    """Where the step tells more."""
    found = [(name, key) for name, key in step.links.items() if name in LINK_LABELS]
    return [(reverse(name, args=[key] if key else []), _(LINK_LABELS[name])) for name, key in found]
