"""Scenario: a plan that somebody tries on a forecast; its outcome is worked out at once or by a job."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from prediction.explanations.models import AskedRow, selection_from_json, selection_to_json
from registry.access.permissions import Person, is_owner
from registry.datasets.models import Dataset, DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection

if TYPE_CHECKING:
    from prediction.scenarios.edits import PlanEdit

KEPT_FOR = timedelta(days=180)  # a scenario that nobody shares, adopts or changes
MAX_EDITS = 50


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    """Filters over scenarios."""

    def visible_to(self, user: Person) -> ScenarioQuerySet:
        """One's own, and those that others share."""
        return self.filter(Q(created_by=user.pk) | Q(is_shared=True))

    def of_dataset(self, dataset: Dataset | None) -> ScenarioQuerySet:
        """Those of a dataset, the newest first, with the rows that pages name."""
        related = ("version__model__dataset", "dataset_version__dataset", "created_by", "adopted")
        return self.filter(dataset_version__dataset=dataset).select_related(*related).order_by("-changed_at")

    def remove_old(self) -> None:
        """Deletes what nobody has touched for long."""
        late = timezone.now() - KEPT_FOR
        self.filter(is_shared=False, adopted=None, changed_at__lt=late).delete()


class Scenario(AskedRow):
    """A list of PlanEdit on the forecast of a version from a dataset version; the content is an Outcome."""

    JOB = "prediction.tasks.try_scenario"
    ADOPT_JOB = "prediction.tasks.adopt_plan"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="scenarios", verbose_name=_("version")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="scenarios", verbose_name=_("dataset version")
    )
    series = models.JSONField(_("series"), default=dict)
    horizon = models.PositiveIntegerField(_("days ahead"))
    edits = models.JSONField(_("changes"), default=list)
    is_shared = models.BooleanField(_("shared"), default=False)
    adopted = models.ForeignKey(
        DatasetVersion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("adopted as")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("made by")
    )

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan tried")
        verbose_name_plural = _("plans tried")
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def selection(self) -> Selection:
        """The series whose forecast it changes."""
        return selection_from_json(self.series)

    @selection.setter
    def selection(self, asked: Selection) -> None:
        self.series = selection_to_json(asked)

    def may_change(self, user: Person) -> bool:
        """Whoever made it may change it."""
        return is_owner(user, self, "prediction.add_scenario")

    def may_delete(self, user: Person) -> bool:
        """Whoever made it, or may delete all of them."""
        return self.may_change(user) or (self.is_shared and user.has_perm("prediction.delete_scenario"))

    @property
    def is_adoptable(self) -> bool:
        """Whether it changes anything, and was not adopted before."""
        return bool(self.edits) and self.adopted_id is None

    def ask_for_adoption(self, user: User) -> None:
        """Queues the job that makes it part of the data; a problem of the last time is forgotten."""
        async_task(self.ADOPT_JOB, str(self.pk), user.pk, cluster="light")
        type(self).objects.filter(pk=self.pk).update(problem={})

    def rename(self, name: str, is_shared: bool) -> None:
        """Another name, or other people who may see it."""
        self.name, self.is_shared = name, is_shared
        self.save(update_fields=["name", "is_shared", "changed_at"])

    def list_edits(self) -> list[PlanEdit]:
        from prediction.scenarios.edits import PlanEdit

        return [PlanEdit.from_json(values) for values in self.edits]

    def change_edits(self, edits: list[PlanEdit]) -> None:
        """Saves other changes; what they do is not known then."""
        self.edits = [edit.to_json() for edit in edits][-MAX_EDITS:]
        self.content, self.problem, self.asked_at = None, {}, None
        self.save()

    def duplicate(self, user: User) -> Scenario:
        """A copy that belongs to this person."""
        facts: dict[str, Any] = {
            field: getattr(self, field)
            for field in ("version", "dataset_version", "series", "horizon", "edits", "content", "problem")
        }
        name = _text("%(name)s, copy") % {"name": self.name}
        return Scenario.objects.create(name=name[:80], created_by=user, **facts)
