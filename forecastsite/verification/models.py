"""Verification: one look at versions and files; BackupNote: when a backup was made."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

MAX_PROBLEMS = 50


class Verification(models.Model):
    """A look at everything, in pieces: where it is, and what it found."""

    day = models.DateField(_("day"))
    libraries = models.JSONField(_("libraries"), default=dict)  # versions of those that compute
    place = models.CharField(max_length=40, default="", editable=False)  # kind of rows it is at
    after = models.CharField(max_length=40, default="", editable=False)  # the last one it has seen
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    versions = models.PositiveIntegerField(_("versions replayed"), default=0)
    moved = models.PositiveIntegerField(_("of them changed"), default=0)
    files = models.PositiveIntegerField(_("files looked at"), default=0)
    damaged = models.PositiveIntegerField(_("of them damaged"), default=0)
    problems = models.JSONField(_("problems"), default=list)  # [kind, name, sentence]

    class Meta:
        verbose_name = _("nightly check")
        verbose_name_plural = _("nightly checks")
        ordering = ["-pk"]
        default_permissions = ["view"]

    def __str__(self) -> str:
        return str(self.day)

    def note_problem(self, kind: str, name: str, sentence: str) -> None:
        """Keeps the first problems by name."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append([kind, name, sentence])

    @property
    def problem_text(self) -> str:
        """All of them, a line each."""
        return "\n".join(f"{name}: {sentence}" for _kind, name, sentence in self.problems) or _text("none")


class BackupNote(models.Model):
    """A backup that `manage.py backup` has made, or that was made by other means and noted by it."""

    at = models.DateTimeField(_("when"), auto_now_add=True)
    place = models.CharField(_("where"), max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.place}"


def find_last_verification() -> Any:
    """The newest one that has ended; None before the first."""
    return Verification.objects.filter(finished_at__isnull=False).first()
