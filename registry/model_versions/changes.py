"""The history of the version in use: one row per change, which outlives its versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.lib.messages import translate_message


@dataclass(frozen=True)
class ChangeReason:
    """Why a version was put in use, or was not."""

    kind: str
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    by: AbstractBaseUser | None = None


class VersionChange(models.Model):
    """One change of a model: which version was put in use or rejected, why, by whom."""

    class Kind(models.TextChoices):
        PUBLISHED = "published", _("in use after its test")
        REJECTED = "kept_back", _("not in use after its test")
        PROMOTED = "promoted", _("put in use manually")
        ROLLED_BACK = "rolled_back", _("put back in use")
        TOOK_OVER = "handed_on", _("in use because the previous one was deleted")

    REVERSIBLE_KINDS = (Kind.PUBLISHED, Kind.PROMOTED)

    model = models.ForeignKey(
        "registry.ForecastModel", models.CASCADE, related_name="changes", verbose_name=_("model")
    )
    version = models.ForeignKey(
        "registry.ModelVersion", models.SET_NULL, null=True, related_name="changes", verbose_name=_("version")
    )
    previous = models.ForeignKey(
        "registry.ModelVersion",
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("version before"),
    )
    name = models.CharField(_("name"), max_length=200)  # remains when the version is deleted
    kind = models.CharField(_("change"), max_length=12, choices=Kind)
    text = models.TextField(_("reason"), blank=True)
    values = models.JSONField(default=dict)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("who")
    )

    class Meta:
        verbose_name = _("version change")
        verbose_name_plural = _("version changes")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} · {self.get_kind_display()}"

    @property
    def reason_text(self) -> str:
        """The reason in the reader's language; a reason that a person wrote is not translated."""
        if self.kind == self.Kind.PROMOTED or not self.text:
            return self.text
        return translate_message(self.text, self.values)

    @property
    def titled_reason(self) -> str:
        """The reason as pages write it: with the title of the other version in place of its name."""
        if "name" not in self.values or self.previous is None:
            return self.reason_text
        return translate_message(self.text, {**self.values, "name": self.previous.title})


def find_rolled_back(changes: models.Manager[VersionChange], shown: Any) -> Any:
    """The version that replaced `shown` by the last roll-back; raises ValueError if that is not so."""
    last = changes.exclude(kind=VersionChange.Kind.REJECTED).select_related("version").first()
    is_repeated = last and last.kind == VersionChange.Kind.ROLLED_BACK and last.previous_id == shown.pk
    if last is None or last.version is None or not is_repeated:
        raise ValueError(gettext("%(name)s is not in use any more.") % {"name": shown.name})
    return last.version
