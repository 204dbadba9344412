"""Starts runs of plans: those that are due, once for each time, and those that somebody asks for."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from forecastsite.automation.models import Plan, PlanRun, PlanStep
from registry.access.audit import AuditAction, record_action
from registry.lib.errors import MessageError, gettext_noop
from registry.lib.leases import GOING

BUSY = gettext_noop("A schedule of {dataset} is running: wait until it has ended.")
Kind = PlanStep.Kind
logger = logging.getLogger(__name__)


def start_due_plans() -> list[PlanRun]:
    """Starts what is due, a missed time once; called every few seconds by hosts with the light queue."""
    started = []
    for plan in Plan.objects.filter(is_enabled=True).select_related("dataset"):
        if plan.is_due(timezone.now()):
            run = start_if_due(plan)
            started += [run] if run else []
    return started


def start_if_due(plan: Plan) -> PlanRun | None:
    """Starts a plan unless another host has, or one of its dataset is running; that one comes first."""
    cause = PlanRun.Cause.TIME if plan.trigger == Plan.Trigger.TIME else PlanRun.Cause.SALES
    try:
        with transaction.atomic():
            locked = Plan.objects.select_for_update().select_related("dataset").get(pk=plan.pk)
            if not locked.is_due(timezone.now()):
                return None
            return create_run(locked, cause, due_at=locked.next_at or timezone.now())
    except (MessageError, Plan.DoesNotExist):
        return None  # it is due as before


def start_plan(plan: Plan, cause: str, by: AbstractBaseUser | None = None, is_queued: bool = True) -> PlanRun:
    """Starts a plan now; raises MessageError while a run of its dataset is going."""
    with transaction.atomic():
        locked = Plan.objects.select_for_update().select_related("dataset").get(pk=plan.pk)
        run = create_run(locked, cause, created_by_id=by.pk if by else None, is_queued=is_queued)
        record_action(AuditAction.CHANGED, plan, by, "run now")
    return run


def create_run(plan: Plan, cause: str, is_queued: bool = True, **facts: Any) -> PlanRun:
    """The run with its steps and its job; call with the plan locked. Raises MessageError."""
    if PlanRun.objects.filter(dataset=plan.dataset_id, stage__in=GOING).exists():
        raise MessageError(BUSY, dataset=str(plan.dataset))
    plan.set_next_time()
    plan.seen_version = plan.dataset.current_version
    plan.save(update_fields=["next_at", "seen_version"])
    run = PlanRun(plan=plan, dataset=plan.dataset, cause=cause, **facts)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:  # of another plan of the dataset, at the same moment
        raise MessageError(BUSY, dataset=str(plan.dataset)) from None
    kinds = list_steps(plan)
    PlanStep.objects.bulk_create(
        PlanStep(run=run, place=place, kind=kind) for place, kind in enumerate(kinds)
    )
    if is_queued:
        run.push_job()
    return run


def list_steps(plan: Plan) -> list[PlanStep.Kind]:
    """The steps of a run, in their order."""
    training = [] if plan.retrain == Plan.Retrain.NEVER else [Kind.RETRAIN, Kind.GATE]
    order = [Kind.ORDER] if plan.makes_order else []
    return [Kind.FETCH, Kind.CHECK, Kind.SAVE, *training, Kind.FORECAST, Kind.ACCURACY, *order, Kind.DIGEST]


def wake_waiting(job: Any, **given: Any) -> None:
    """Signal handler: a job has ended that a run of its dataset may be waiting for."""
    if isinstance(job, PlanRun):
        return
    data = getattr(job, "dataset_version", None)
    dataset_id = data.dataset_id if data is not None else getattr(job, "dataset_id", None)
    for run in PlanRun.objects.filter(dataset=dataset_id, stage=PlanRun.Stage.QUEUED):
        run.push_job()
