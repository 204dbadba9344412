"""Records of deleted artifacts."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import models
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

RULE_TEXTS = {
    r"by_hand": gettext_noop("deleted manually"),
    r"with_its_source": gettext_noop("deleted with its version"),
    r"replaced": gettext_noop("replaced by a newer one"),
    r"older_than_(?P<number>\d+)_days": gettext_noop("older than %(number)s days"),
    r"beyond_newest_(?P<number>\d+)": gettext_noop("beyond the newest %(number)s"),
    r"beyond_newest_(?P<number>\d+)_versions": gettext_noop("beyond the newest %(number)s versions"),
    r"beyond_newest_(?P<number>\d+)_runs": gettext_noop("beyond the newest %(number)s forecast runs"),
    r"beyond_newest_(?P<number>\d+)_orders": gettext_noop("beyond the newest %(number)s orders"),
    r"beyond_newest_(?P<number>\d+)_sales": gettext_noop("beyond the newest %(number)s versions of sales"),
}
BY_HAND = "by_hand"
WITH_ITS_SOURCE = "with_its_source"  # a forecast is deleted with its version
REPLACED = "replaced"  # a forecast of the server, by its next one


def rule_text(rule: str) -> str:
    """A rule in words.

    >>> rule_text("older_than_30_days"), rule_text("beyond_newest_3_versions"), rule_text("else")
    ('older than 30 days', 'beyond the newest 3 versions', 'else')
    """
    for pattern, words in RULE_TEXTS.items():
        if found := re.fullmatch(pattern, rule):
            return gettext(words) % found.groupdict()
    return rule


class Tombstone(models.Model):
    """A deleted file: which rule, when, where it was, by whom. Written before the file is deleted."""

    id = models.UUIDField(primary_key=True, editable=False)  # the artifact's
    kind = models.CharField(_("kind"), max_length=20)
    name = models.CharField(_("name"), max_length=300)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    size = models.BigIntegerField(_("bytes"), default=0)
    rule = models.CharField(_("rule"), max_length=40)
    place = models.TextField(_("where it was"), blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("who")
    )

    class Meta:
        verbose_name = _("deleted file")
        verbose_name_plural = _("deleted files")
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.name
