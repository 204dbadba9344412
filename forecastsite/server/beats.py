"""Signs of life of the queues, in the database: any host can tell whether some host serves each queue."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now

LIGHT, TRAINING = QUEUES = ("light", "training")
BEAT_SECONDS = 20.0  # between two beats of a queue that is well
MAX_AGE = timedelta(seconds=60)  # an older beat is that of a queue that stopped


class QueueBeat(models.Model):
    """When a queue gave its last sign of life: it did its probe job, or its workers were at work."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.queue} {self.at:%H:%M:%S}"


def record_beat(queue: str) -> None:
    """Notes, in the database's time, that the queue is served now."""
    rows = QueueBeat.objects
    if not rows.filter(pk=queue).update(at=Now()):
        rows.bulk_create([QueueBeat(queue=queue, at=Now())], ignore_conflicts=True)


def read_beats() -> dict[str, tuple[datetime | None, bool]]:
    """For each queue its last beat, None before the first, and whether that is recent."""
    recent = models.ExpressionWrapper(models.Q(at__gt=Now() - MAX_AGE), output_field=models.BooleanField())
    found = {row.queue: row for row in QueueBeat.objects.annotate(is_recent=recent)}
    return {
        queue: (found[queue].at, bool(found[queue].is_recent)) if queue in found else (None, False)
        for queue in QUEUES
    }
