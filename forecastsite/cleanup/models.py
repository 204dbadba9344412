"""Clean-ups that were carried out, and the daily schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.models import Schedule

SCHEDULE_NAME = "clean-up"
CLEANUP_HOUR = 2  # at night, local time


class CleanUp(models.Model):
    """A clean-up with its result, or the reason why it did not start."""

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("who")
    )
    by_schedule = models.BooleanField(_("by schedule"), default=False)
    seconds = models.FloatField(_("seconds"), default=0)
    deleted = models.PositiveIntegerField(_("deleted"), default=0)
    archived = models.PositiveIntegerField(_("archived"), default=0)
    freed = models.BigIntegerField(_("bytes freed"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    left = models.PositiveIntegerField(_("left for the next time"), default=0)
    code = models.PositiveSmallIntegerField(_("exit code"), default=0)
    text = models.TextField(_("what went wrong"), blank=True)

    class Meta:
        verbose_name = _("clean-up")
        verbose_name_plural = _("clean-ups")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    @property
    def triggered_by(self) -> str:
        """The user, "schedule" or "command line"."""
        if self.by_schedule:
            return gettext("schedule")
        return str(self.by) if self.by else gettext("command line")

    @property
    def result_sentence(self) -> str:
        """What was done and what went wrong."""
        words = {"deleted": self.deleted, "archived": self.archived, "freed": filesizeformat(self.freed)}
        done = gettext("Deleted %(deleted)s, archived %(archived)s, freed %(freed)s.") % words
        left = gettext("%(left)s left for the next time.") % {"left": self.left} if self.left else ""
        return " ".join(part for part in (done, left, self.text) if part)


class NightlyManager(models.Manager["Nightly"]):
    """The clean-up's row among the queue's schedules."""

    def get_queryset(self) -> models.QuerySet[Nightly]:
        return super().get_queryset().filter(name=SCHEDULE_NAME)

    def ensure_schedule(self) -> Nightly:
        """The row; a new one is switched off."""
        fixed: dict[str, Any] = {"func": "forecastsite.tasks.clean_up", "cluster": "light"}
        fresh = {**fixed, "schedule_type": Schedule.DAILY, "repeats": 0, "next_run": next_cleanup_time()}
        return self.get_or_create(name=SCHEDULE_NAME, defaults=fresh)[0]


class Nightly(Schedule):
    """The queue's schedule of the daily clean-up; `repeats` 0 means off, -1 forever."""

    objects = NightlyManager()

    class Meta:
        proxy = True
        verbose_name = _("daily clean-up")
        verbose_name_plural = _("daily clean-up")

    def __str__(self) -> str:
        return str(self.name)

    @property
    def is_enabled(self) -> bool:
        """Whether the schedule is switched on."""
        return bool(self.repeats)

    def set_enabled(self, enabled: bool) -> None:
        """Switches the schedule on, from the next night, or off."""
        self.repeats, self.next_run = (-1 if enabled else 0), next_cleanup_time()
        self.save(update_fields=["repeats", "next_run"])

    @property
    def last_cleanup(self) -> CleanUp | None:
        """The last scheduled clean-up."""
        return CleanUp.objects.filter(by_schedule=True).first()


def next_cleanup_time() -> Any:
    """The next time that it is CLEANUP_HOUR in the local time zone."""
    now = timezone.localtime()
    tonight = now.replace(hour=CLEANUP_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)
