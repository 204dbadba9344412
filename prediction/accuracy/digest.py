"""Mail digest of alerts: at most one a day, each alert once; none without a mail server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.tasks import async_task

from prediction.accuracy.models import AccuracyAlert
from prediction.accuracy.wording import alert_sentence
from registry.datasets.addresses import reverse_in_dataset
from registry.lib.locks import LockUnavailable, exclusive_lock

JOB = "prediction.tasks.mail_alerts"
PAUSE = timedelta(hours=23)  # between two digests
CHANGE_ALERT, BACKEND = "prediction.change_accuracyalert", "django.contrib.auth.backends.ModelBackend"


def ask_for_digest() -> None:
    """Queues the job when a digest is due."""
    if list_due():
        async_task(JOB, cluster="light")


def list_due() -> list[AccuracyAlert]:
    """Open alerts that no digest has named; none while the last digest is younger than a day."""
    if not settings.EMAIL_HOST:
        return []
    if AccuracyAlert.objects.filter(mailed_at__gt=timezone.now() - PAUSE).exists():
        return []
    found = AccuracyAlert.objects.filter(state=AccuracyAlert.State.OPEN, mailed_at=None)
    return list(found.filter(dataset__is_paused=False).select_related("dataset").order_by("dataset", "pk"))


def list_readers() -> QuerySet[User]:
    """Whoever may acknowledge alerts and has an address."""
    people = User.objects.with_perm(CHANGE_ALERT, backend=BACKEND)
    return people.filter(is_active=True).exclude(email="").order_by("pk")


def send_digest() -> int:
    """Mails what is due to everybody at once, hidden from each other; the number of alerts."""
    try:
        with exclusive_lock("alert-digest"):
            alerts, readers = list_due(), list_readers()
            addresses = [reader.email for reader in readers]
            if not alerts or not addresses:
                return 0
            subject, text = write_digest(alerts)
            EmailMessage(subject, text, bcc=addresses).send()
            sent = AccuracyAlert.objects.filter(pk__in=[alert.pk for alert in alerts])
            return sent.update(mailed_at=timezone.now())
    except LockUnavailable:
        return 0  # whoever holds the lock sends it


def write_digest(alerts: Sequence[AccuracyAlert]) -> tuple[str, str]:
    """Subject and text: the sentences of each dataset, and where they are acknowledged."""
    count = len(alerts)
    subject = ngettext("%(count)s forecast alert", "%(count)s forecast alerts", count) % {"count": count}
    lines = [_("Forecasts and sales have moved apart:")]
    for dataset in dict.fromkeys(alert.dataset for alert in alerts):
        own = [alert_sentence(alert, dataset) for alert in alerts if alert.dataset == dataset]
        address = f"{settings.SITE_URL}{reverse_in_dataset(dataset.pk, 'accuracy')}#alerts"
        lines.append("\n".join([str(dataset), *(f"* {sentence}" for sentence in own), address]))
    return subject, "\n\n".join(lines)
