"""The last step: a mail that says what the run did, what moved, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext as _

from forecastsite.automation.models import PlanRun, PlanStep
from forecastsite.automation.outcome import Outcome, skip, wait
from prediction.accuracy.wording import alert_sentence
from prediction.models import AccuracyAlert, CurrentForecast
from prediction.runs.change_row import load_change
from registry.datasets.addresses import reverse_in_dataset
from registry.datasets.sources.models import SourceFile
from registry.lib.errors import gettext_noop
from registry.lib.formatting import format_units

PATIENCE = timedelta(minutes=5)  # with what changed since the forecast before
MOVERS = 5
NOBODY = gettext_noop("Nobody gets a mail.")
NO_HOST = gettext_noop("No mail server is set (EMAIL_HOST).")
SENT = gettext_noop("Addresses that got it: {count}.")
WORKING_OUT = gettext_noop("What moved most is being worked out.")


def send_digest(step: PlanStep) -> Outcome:
    """Mails the digest; one that is sent twice after a crash has the same id, so that readers see it once."""
    run = step.run
    if not run.plan.mail_to:
        return skip(NOBODY)
    if not settings.EMAIL_HOST:
        return skip(NO_HOST)
    moves = find_moves(run)
    if moves is None and step.started_at and timezone.now() - step.started_at < PATIENCE:
        return wait(WORKING_OUT)
    subject, text = write_digest(run, moves or [])
    domain = make_msgid().rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{run.pk}@{domain}>"}
    EmailMessage(subject, text, bcc=run.plan.mail_to, headers=headers).send()
    return Outcome(SENT, {"count": len(run.plan.mail_to)})


def find_moves(run: PlanRun) -> list[dict[str, Any]] | None:
    """The series of the current forecast that moved most since the one before; None until that is known."""
    row = (
        CurrentForecast.objects.filter(dataset=run.dataset_id, run__isnull=False)
        .select_related("run")
        .first()
    )
    if row is None or row.run is None:
        return []
    change = load_change(row.run)
    if change is None or change.content is None:
        return None
    spans = change.content.get("spans") or [{"moves": []}]
    return list(spans[0]["moves"][:MOVERS])


def write_digest(run: PlanRun, moves: list[dict[str, Any]]) -> tuple[str, str]:
    """Subject and text."""
    failed = run.steps.filter(state=PlanStep.State.FAILED).count()
    words = {"name": run.plan.name, "dataset": run.dataset}
    subject = _("%(name)s (%(dataset)s): something failed") if failed else _("%(name)s (%(dataset)s): done")
    blocks = [list_steps(run), list_moves(moves), list_alerts(run), list_held(run)]
    text = "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines)
    address = settings.SITE_URL + reverse_in_dataset(run.dataset_id, "planrun", run.pk)
    return subject % words, f"{text}\n\n{address}"


def list_steps(run: PlanRun) -> Iterator[str]:
    """What each step did."""
    for step in run.steps.exclude(kind=PlanStep.Kind.DIGEST):
        yield f"{step.get_kind_display()}: {step.sentence or step.get_state_display()}"


def list_moves(moves: list[dict[str, Any]]) -> Iterator[str]:
    """The series that moved most, in units of the next days."""
    if moves:
        yield _("What moved most:")
    for move in moves:
        before, now = format_units(move["before"]), format_units(move["now"])
        yield f"* {move['product']} · {move['store']}: {before} → {now}"


def list_alerts(run: PlanRun) -> Iterator[str]:
    """Open alerts."""
    found = AccuracyAlert.objects.filter(dataset=run.dataset_id, state=AccuracyAlert.State.OPEN)
    if found:
        yield _("Forecasts and sales have moved apart:")
    for alert in found[:20]:
        yield f"* {alert_sentence(alert, run.dataset)}"


def list_held(run: PlanRun) -> Iterator[str]:
    """Files that wait for a curator."""
    held = SourceFile.objects.filter(source__dataset=run.dataset_id, state=SourceFile.State.HELD)
    if held:
        yield _("Files that wait for you:")
    for row in held.select_related("source")[:20]:
        address = settings.SITE_URL + reverse_in_dataset(run.dataset_id, "source", row.source_id)
        yield f"* {row.name}: {row.reason_text} {address}"
