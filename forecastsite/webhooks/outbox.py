"""Writes a delivery for each webhook that wants an event, in the transaction of the event."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.utils import timezone
from django_q.tasks import async_task

from forecastsite.webhooks.models import Delivery, EventKind, Webhook
from prediction.models import AccuracyAlert, ForecastRun, OrderRun
from registry.access.audit import AuditAction, AuditEntry
from registry.lib.events import job_ended
from registry.model_versions.changes import VersionChange
from training.models import TrainingRun

JOB = "forecastsite.webhooks.sending.send_due"
JOB_SECONDS = 300  # of one sending job
AUDITED = {
    (AuditAction.IMPORTED.value, "datasetversion"): EventKind.DATASET_READY,
    (AuditAction.APPROVED.value, "orderrun"): EventKind.ORDER_APPROVED,
}


def write_event(kind: EventKind, data: dict[str, Any]) -> None:
    """A row for each webhook that wants the event, and a job that sends them; call in its transaction."""
    wanted = [hook for hook in Webhook.objects.filter(is_enabled=True) if kind.value in hook.kinds]
    if not wanted:
        return
    payload = {"type": kind.value, "timestamp": timezone.now().isoformat(), "data": data}
    Delivery.objects.bulk_create(Delivery(webhook=hook, kind=kind, payload=payload) for hook in wanted)
    queue_sending()


def queue_sending() -> None:
    """Queues the job that sends what is due."""
    async_task(JOB, cluster="light", timeout=JOB_SECONDS)


def connect() -> None:
    """Listens to what happens below; called when the apps are ready."""
    post_save.connect(note_audit, sender=AuditEntry, dispatch_uid="webhooks: audit")
    post_save.connect(note_change, sender=VersionChange, dispatch_uid="webhooks: versions")
    post_save.connect(note_alert, sender=AccuracyAlert, dispatch_uid="webhooks: alerts")
    job_ended.connect(note_end, dispatch_uid="webhooks: jobs")


def note_audit(instance: AuditEntry, raw: bool = False, **given: Any) -> None:
    """Signal handler: new sales, approved orders."""
    kind = AUDITED.get((instance.act, instance.kind))
    if kind is not None and not raw:
        write_event(kind, {"id": instance.key, "name": instance.name})


def note_change(instance: VersionChange, created: bool, raw: bool = False, **given: Any) -> None:
    """Signal handler: a version came into use."""
    is_new = created and not raw  # raw: a row that is restored, perhaps before those that it names
    if is_new and instance.kind != VersionChange.Kind.REJECTED and instance.version_id:
        facts = {"id": str(instance.version_id), "name": instance.name, "how": instance.kind}
        write_event(EventKind.VERSION_IN_USE, {**facts, "dataset": instance.model.dataset_id})


def note_alert(instance: AccuracyAlert, created: bool, raw: bool = False, **given: Any) -> None:
    """Signal handler: an alert was opened."""
    if created and not raw:
        facts = {"id": instance.pk, "dataset": instance.dataset_id, "kind": instance.kind}
        write_event(EventKind.ALERT_OPENED, {**facts, "group": instance.group_text})


def note_end(job: Any, **given: Any) -> None:
    """Signal handler: a training has ended, a forecast run or an order is ready."""
    if isinstance(job, TrainingRun):
        version = str(job.version_id) if job.version_id else None
        facts: dict[str, Any] = {"id": str(job.pk), "state": job.state, "version": version}
        facts |= {"dataset": job.dataset_version.dataset_id, "error": job.error_text}
        write_event(EventKind.TRAINING_ENDED, facts)
    elif isinstance(job, ForecastRun) and job.is_done:
        facts = {"id": str(job.pk), "dataset": job.dataset_version.dataset_id}
        facts["origin"] = str(job.origin)
        write_event(EventKind.FORECAST_READY, facts)
    elif isinstance(job, OrderRun) and job.is_done:
        write_event(EventKind.ORDER_READY, {"id": str(job.pk), "dataset": job.dataset_id})
