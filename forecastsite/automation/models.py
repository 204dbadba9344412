"""Plans, their runs, and the steps of a run."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from forecastsite.automation.clock import DailyTime
from registry.access.permissions import PERSON_FIELD
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.stock.models import require_weekdays
from registry.lib.leases import GOING, LeasedJob, LeasedJobQuerySet
from registry.lib.messages import translate_message


def default_time_zone() -> str:
    """That of the server."""
    return str(settings.TIME_ZONE)


def require_time_zone(name: str) -> None:
    """Raises ValidationError unless it is a time zone such as Europe/Berlin."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(gettext("Write a time zone like Europe/Berlin or Asia/Shanghai."))


class Plan(models.Model):
    """What happens by itself for a dataset, and when."""

    class Trigger(models.TextChoices):
        TIME = "time", _("at a time")
        SALES = "sales", _("when new sales came")

    class Retrain(models.TextChoices):
        NEVER = "never", _("never")
        WEEKS = "weeks", _("every so many weeks")
        DRIFT = "drift", _("when sales have left the forecasts")
        BOTH = "both", _("every so many weeks, and when sales have left the forecasts")

    name = models.CharField(_("name"), max_length=80, unique=True)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="plans", verbose_name=_("dataset"))
    is_enabled = models.BooleanField(_("switched on"), default=True)
    trigger = models.CharField(_("starts"), max_length=10, choices=Trigger, default=Trigger.TIME)
    weekdays = models.CharField(
        _("weekdays"), max_length=20, blank=True, default="1,2,3,4,5,6,7", validators=[require_weekdays]
    )
    at = models.TimeField(_("time"), default=dt.time(4, 0))
    time_zone = models.CharField(
        _("time zone"), max_length=60, default=default_time_zone, validators=[require_time_zone]
    )
    retrain = models.CharField(_("train again"), max_length=10, choices=Retrain, default=Retrain.WEEKS)
    retrain_weeks = models.PositiveSmallIntegerField(
        _("weeks between trainings"), default=4, validators=[MinValueValidator(1), MaxValueValidator(52)]
    )
    budget = models.PositiveIntegerField(
        _("seconds to learn"), default=300, validators=[MinValueValidator(1), MaxValueValidator(7200)]
    )
    makes_order = models.BooleanField(_("make an order"), default=False)
    mail_to = models.JSONField(_("mail to"), default=list, blank=True)  # addresses
    next_at = models.DateTimeField(_("next time"), null=True, blank=True, db_index=True)
    seen_version = models.ForeignKey(
        DatasetVersion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("sales seen")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("created by"), **PERSON_FIELD)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["name"]
        permissions = [("run_plan", "Can switch schedules and run them now")]

    def __str__(self) -> str:
        return self.name

    @property
    def day_numbers(self) -> list[int]:
        """Its weekdays, 1 to 7."""
        return [int(day) for day in self.weekdays.split(",") if day]

    @property
    def daily_time(self) -> DailyTime:
        """Its weekdays and time, as the clock takes them."""
        return DailyTime(frozenset(self.day_numbers), self.at, self.time_zone)

    def set_next_time(self, now: dt.datetime | None = None) -> None:
        """Sets when it starts next: None when it waits for sales or is switched off."""
        is_timed = self.is_enabled and self.trigger == self.Trigger.TIME
        self.next_at = self.daily_time.find_next(now or timezone.now()) if is_timed else None

    def is_due(self, now: dt.datetime) -> bool:
        """Whether its time has come, or other sales than those that it has seen are there."""
        if not self.is_enabled:
            return False
        if self.trigger == self.Trigger.TIME:
            return self.next_at is not None and self.next_at <= now
        current = self.dataset.current_version
        return current is not None and current.pk != self.seen_version_id


class PlanRun(LeasedJob):
    """One run of a plan. The lease is that of whoever works on its steps; one run at a time per dataset."""

    class Cause(models.TextChoices):
        TIME = "time", _("its time")
        SALES = "sales", _("new sales")
        PAGE = "page", _("page")
        COMMAND = "command", _("command")
        API = "api", _("API")

    JOB = "forecastsite.automation.runner.work_on_plan_run"
    LOST_TWICE = gettext_noop(
        "A step lost its process several times. Check the server log, then run it again."
    )
    MAX_ATTEMPTS = 3  # of each step

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="runs", verbose_name=_("schedule"))
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+", verbose_name=_("dataset"))
    cause = models.CharField(_("started by"), max_length=10, choices=Cause)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("started by"), **PERSON_FIELD)

    objects = LeasedJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("run of a schedule")
        verbose_name_plural = _("runs of schedules")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"],
                condition=models.Q(stage__in=GOING),
                name="one_plan_run_of_a_dataset_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {timezone.localtime(self.due_at):%Y-%m-%d %H:%M}"

    @property
    def starter(self) -> str:
        """Who started it: a user's name, else what caused it."""
        return str(self.created_by or self.get_cause_display())

    def wait(self) -> bool:
        """Gives the lease back until something has ended; the attempt does not count. False if it is lost."""
        free: dict[str, Any] = {"attempt": 0, "attempt_token": None, "lease_until": None}
        return self._change(self._owned(), stage=self.Stage.QUEUED, queued_at=timezone.now(), **free)

    def count_step(self) -> bool:
        """A step has ended: the next one has all its attempts. False if this attempt has lost the run."""
        return self._change(self._owned(), attempt=1)

    @property
    def current_step(self) -> PlanStep | None:
        """The step that is worked on or comes next."""
        return self.steps.exclude(state__in=PlanStep.ENDED_STATES).first()


class PlanStep(models.Model):
    """One step of a run, with a sentence on what came of it."""

    class Kind(models.TextChoices):
        FETCH = "fetch", _("Fetch files")
        CHECK = "check", _("Check them")
        SAVE = "save", _("Save them")
        RETRAIN = "retrain", _("Train again")
        GATE = "gate", _("Compare the versions")
        FORECAST = "forecast", _("Forecast everything")
        ACCURACY = "accuracy", _("Compare with sales")
        ORDER = "order", _("Make an order")
        DIGEST = "digest", _("Send the digest")

    class State(models.TextChoices):
        OPEN = "open", _("to do")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("not needed")
        FAILED = "failed", _("failed")

    ENDED_STATES = (State.DONE, State.SKIPPED, State.FAILED)

    run = models.ForeignKey(PlanRun, models.CASCADE, related_name="steps", verbose_name=_("run"))
    place = models.PositiveSmallIntegerField(_("place"))
    kind = models.CharField(_("step"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    text = models.TextField(_("what came of it"), blank=True)  # with {places} for values
    values = models.JSONField(default=dict, editable=False)
    links = models.JSONField(default=dict, editable=False)  # {name of a page: id}
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("step of a schedule")
        verbose_name_plural = _("steps of schedules")
        ordering = ["run", "place"]
        constraints = [models.UniqueConstraint(fields=["run", "place"], name="one_plan_step_at_a_place")]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def sentence(self) -> str:
        """What came of it, in the reader's language."""
        return translate_nested(self.text, self.values)

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED_STATES


def translate_nested(text: str, values: dict[str, Any]) -> str:
    """As translate_message; values that are messages themselves, {"message", "values"}, are translated."""
    found = {
        name: translate_message(value["message"], value.get("values")) if isinstance(value, dict) else value
        for name, value in values.items()
    }
    return translate_message(text, found)
