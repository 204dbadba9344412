"""Works on the steps of a run, one after the other. Safe to kill at any moment, and to repeat.

Each step is a verb that pages and commands have, too, and does nothing twice. A step that waits for another
queue gives the worker back: the run is looked at again when a job has ended, and every minute.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from forecastsite.automation.models import PlanRun, PlanStep
from forecastsite.automation.outcome import Outcome
from forecastsite.automation.steps import STEPS
from prediction.engine import forget_cached
from registry.lib.errors import MessageError, gettext_noop, split_error
from registry.lib.events import announce_end
from registry.lib.leases import Heartbeat
from registry.storage.artifacts import CorruptArtifact

LOST = gettext_noop("Another process has taken over this run.")
STEPS_FAILED = gettext_noop("{step}: {reason}")
logger = logging.getLogger(__name__)


def work_on_plan_run(run_id: str) -> None:
    """Queue job: works on a run as far as it goes now; does nothing if somebody else does."""
    related = ("plan__dataset", "dataset", "created_by")
    run = PlanRun.objects.filter(pk=run_id).select_related(*related).first()
    if run is None or not run.claim():
        return
    try:
        with Heartbeat(run.renew_lease, LOST) as heartbeat:
            work_through(run, heartbeat)
    except MessageError as problem:
        logger.warning("The run %s of a schedule stops here: %s", run.pk, problem)
    finally:
        forget_cached()  # the queue's worker lives on


def work_through(run: PlanRun, heartbeat: Heartbeat) -> None:
    """Ends the run, or has it wait; raises MessageError if another process has it by now."""
    for step in run.steps.exclude(state__in=PlanStep.ENDED_STATES).order_by("place"):
        heartbeat.check()
        step.run = run
        if not work_on_step(step):
            run.wait()
            return
        if not run.count_step():
            raise MessageError(LOST)
    end_run(run)


def work_on_step(step: PlanStep) -> bool:
    """Does a step and keeps what came of it; False if it waits."""
    if step.started_at is None:
        step.started_at = timezone.now()
    step.state = PlanStep.State.RUNNING
    step.save(update_fields=["state", "started_at"])
    try:
        outcome = STEPS[step.kind](step)
    except (ValueError, CorruptArtifact, OSError) as problem:
        logger.warning("%s of %s failed: %s", step.kind, step.run, problem)
        text, values = split_error(problem)
        outcome = Outcome(text or type(problem).__name__, values, state=PlanStep.State.FAILED)
    step.text, step.values = outcome.text, outcome.values
    step.links = {**step.links, **outcome.links}
    step.state = outcome.state
    step.ended_at = timezone.now() if step.has_ended else None
    step.save(update_fields=["text", "values", "links", "state", "ended_at"])
    return step.has_ended


def end_run(run: PlanRun) -> None:
    """Ends a run whose steps have ended: failed if one of them did, with its reason."""
    failed = run.steps.filter(state=PlanStep.State.FAILED).order_by("place").first()
    with transaction.atomic():
        if failed is None:
            is_mine = run.finish()
        else:
            is_mine = run.mark_failed(STEPS_FAILED, {"step": str(failed), "reason": failed.sentence})
        if is_mine:
            announce_end(run)
