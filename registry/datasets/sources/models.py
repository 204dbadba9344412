"""Sources and the files that were found in them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.access.permissions import PERSON_FIELD
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.uploads import Upload
from registry.lib.messages import translate_message


class Source(models.Model):
    """A place where files for a dataset arrive, and how they are read."""

    class Kind(models.TextChoices):
        SALES = "sales", _("sales")
        STOCK = "stock", _("stock")
        TERMS = "terms", _("terms")

    class Place(models.TextChoices):
        FOLDER = "folder", _("folder on the server")
        BUCKET = "s3", _("S3 bucket")
        HTTP = "http", _("sent by a program (HTTP PUT)")

    class Mode(models.TextChoices):
        ADD = "add", _("added: each row replaces the one of its day, store and product")
        WHOLE = "whole", _("everything: what the file lacks is removed")

    name = models.CharField(_("name"), max_length=80, unique=True)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="sources", verbose_name=_("dataset"))
    kind = models.CharField(_("the files hold"), max_length=10, choices=Kind, default=Kind.SALES)
    place = models.CharField(_("place"), max_length=10, choices=Place, default=Place.FOLDER)
    address = models.CharField(_("address"), max_length=300, blank=True)
    pattern = models.CharField(_("file names"), max_length=100, default="*")
    mode = models.CharField(_("a file is"), max_length=10, choices=Mode, default=Mode.ADD)
    needs_marker = models.BooleanField(_("wait for a .done file"), default=False)
    max_lost = models.FloatField(
        _("rows that may be left out, in percent"),
        default=0,
        validators=[MinValueValidator(0.0), MaxValueValidator(100.0)],
    )
    reading = models.JSONField(_("how files are read"), default=dict, blank=True)  # as of Upload
    is_enabled = models.BooleanField(_("switched on"), default=True)
    problem = models.JSONField(_("problem"), default=dict, blank=True)  # {"message", "values"}
    asked_at = models.DateTimeField(null=True, editable=False)
    looked_at = models.DateTimeField(_("last look"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("created by"), **PERSON_FIELD)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]
        permissions = [("run_source", "Can switch sources and have them looked at")]

    def __str__(self) -> str:
        return self.name

    @property
    def problem_text(self) -> str:
        """Why the place could not be reached, in the reader's language."""
        return translate_message(self.problem.get("message", ""), self.problem.get("values"))


class SourceFile(models.Model):
    """One content of one file: found, taken once it is complete, checked, saved or held.

        seen --complete--> taken --check--> checked --save--> saved
                             |                |--rows would be lost--> held --a curator saves it--> saved
                             |--the same content came before--> repeated

    Each arrow is one transaction, so a killed process leaves nothing between two states.
    """

    class State(models.TextChoices):
        SEEN = "seen", _("arriving")
        TAKEN = "taken", _("taken")
        CHECKED = "checked", _("checked")
        SAVED = "saved", _("saved")
        HELD = "held", _("held")
        REPEATED = "repeated", _("came before")

    ENDED_STATES = (State.SAVED, State.HELD, State.REPEATED)
    OPEN_STATES = (State.TAKEN, State.CHECKED)

    source = models.ForeignKey(Source, models.CASCADE, related_name="files", verbose_name=_("source"))
    name = models.CharField(_("file"), max_length=255)
    stamp = models.CharField(max_length=100, editable=False)  # tells one content of that name from another
    size = models.BigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SEEN, db_index=True)
    text = models.TextField(_("reason"), blank=True)  # with {places} for values
    values = models.JSONField(default=dict, editable=False)
    folder = models.CharField(max_length=10, blank=True, editable=False)  # it was moved to: done, held
    stored_name = models.CharField(max_length=280, blank=True, editable=False)  # there
    upload = models.ForeignKey(
        Upload, models.SET_NULL, null=True, related_name="source_files", verbose_name=_("upload")
    )
    version = models.ForeignKey(
        DatasetVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("dataset version")
    )
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    seen_at = models.DateTimeField(_("found"), default=timezone.now)
    taken_at = models.DateTimeField(_("taken"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("file of a source")
        verbose_name_plural = _("files of sources")
        ordering = ["-seen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "name", "stamp"], name="one_row_of_a_found_file")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reason_text(self) -> str:
        """Why it is held or was not saved, in the reader's language."""
        return translate_message(self.text, self.values)

    @property
    def right_folder(self) -> str:
        """Where it belongs now: `held` for a held one, `done` for one that has ended, else nowhere."""
        if self.source.place == Source.Place.HTTP or self.state not in self.ENDED_STATES:
            return ""
        return "held" if self.state == self.State.HELD else "done"

    def end(self, state: str, text: str = "", values: dict[str, Any] | None = None, **facts: Any) -> None:
        """Saves an end with its reason."""
        self.state, self.text, self.values, self.ended_at = state, text, values or {}, timezone.now()
        for name, value in facts.items():
            setattr(self, name, value)
        self.save()
