"""RunEvent: a line of a training's log, or a point of its learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from training.learning.progress import Progress


class RunEvent(models.Model):
    """One event of a run; `seq` has no gaps within a run, so a page notices what it missed."""

    class Kind(models.TextChoices):
        LOG = "log", _("log line")
        EPOCH = "epoch", _("point of the learning curve")
        STATE = "state", _("change of state")

    run = models.ForeignKey(
        "training.TrainingRun", models.CASCADE, related_name="events", verbose_name=_("training run")
    )
    seq = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    level = models.CharField(_("level"), max_length=10, default="info")
    text = models.TextField(_("text"), blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("line of a training")
        verbose_name_plural = _("lines of the trainings")
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="one_event_per_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.text}"

    @classmethod
    def from_progress(cls, progress: Progress) -> list[RunEvent]:
        """A point of the curve if errors were measured, and a log line if there is a text."""
        point = {
            "method": progress.values.get("method", ""),
            "round": progress.round,
            "train_error": progress.train_error,
            "check_error": progress.check_error,
        }
        measured = progress.train_error is not None or progress.check_error is not None
        curve = [cls(kind=cls.Kind.EPOCH, data={"step": progress.step, **point})] if measured else []
        return curve + (
            [cls(kind=cls.Kind.LOG, text=progress.text, data=progress.values)] if progress.text else []
        )
