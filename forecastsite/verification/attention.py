"""What the overview tells operators about the installation itself."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forecastsite.attention import AttentionItem
from forecastsite.storage.sampling import count_weeks_left
from forecastsite.storage.views import VIEW as VIEW_STORAGE
from forecastsite.storage.views import describe_weeks
from forecastsite.verification.models import BackupNote, find_last_verification
from registry.access.permissions import Person
from registry.datasets.addresses import SITE_PREFIX
from registry.lib.formatting import format_whole_number

VIEW = "forecastsite.view_verification"
FEW_WEEKS = 4  # until the disk is full


def installation_items(user: Person) -> list[AttentionItem]:
    """What needs the attention of those who run the server; nothing for others."""
    found = [*list_check_items(), *list_backup_items()] if user.has_perm(VIEW) else []
    return [*found, *list_disk_items()] if user.has_perm(VIEW_STORAGE) else found


def list_check_items() -> Iterator[AttentionItem]:
    """Versions that compute other numbers, and files that are missing or changed."""
    last = find_last_verification()
    if last is None:
        return
    link = reverse("admin:forecastsite_verification_change", args=[last.pk])
    if last.moved:
        text = ngettext(
            "%(count)s model version in use computes other forecasts than when it was trained: "
            "train it again.",
            "%(count)s model versions in use compute other forecasts than when they were trained: "
            "train them again.",
            last.moved,
        )
        words = {"count": format_whole_number(last.moved)}
        yield AttentionItem("bad", _("Model"), text % words, _("See why"), link)
    if last.damaged:
        text = ngettext(
            "%(count)s file is missing or changed: run reconcile_artifacts.",
            "%(count)s files are missing or changed: run reconcile_artifacts.",
            last.damaged,
        )
        words = {"count": format_whole_number(last.damaged)}
        yield AttentionItem("bad", _("Files"), text % words, _("See why"), link)


def list_backup_items() -> Iterator[AttentionItem]:
    """A backup that is older than BACKUP_DAYS, or that was never made."""
    last, limit = BackupNote.objects.first(), settings.BACKUP_DAYS
    first = User.objects.order_by("date_joined").values_list("date_joined", flat=True).first()
    since = last.at if last is not None else first
    if not limit or since is None or (timezone.now() - since).days < limit:
        return
    text = _("No backup was made so far.")
    if last is not None:
        text = _("The last backup is %(days)d days old.") % {"days": (timezone.now() - last.at).days}
    link = reverse("help-for", args=["operator"])
    yield AttentionItem("warn", _("Backup"), text, _("See how"), link)


def list_disk_items() -> Iterator[AttentionItem]:
    """A disk that will be full soon."""
    weeks = count_weeks_left(timezone.localdate())
    if weeks is not None and weeks <= FEW_WEEKS:
        yield AttentionItem(
            "bad", _("Disk"), describe_weeks(weeks), _("See what takes it"), f"{SITE_PREFIX}storage/"
        )
