"""Steps that renew the model: train again when that is due, and what the gate said."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from forecastsite.automation.models import Plan, PlanStep
from forecastsite.automation.outcome import Outcome, skip, wait
from prediction.models import AccuracyAlert
from registry.datasets.models import Dataset
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions.changes import VersionChange
from registry.model_versions.in_use import EVERYTHING, version_in_use
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun
from training.queue import RunOptions, build_run, retrain_version, save_and_queue

SLACK = timedelta(hours=12)  # a plan that starts a little earlier is not put off for a whole day
NOT_DUE = gettext_noop("Trained on {day}; no training is due.")
NO_SALES = gettext_noop("There are no sales to learn from.")
SAME_SALES = gettext_noop("It has learned the newest sales already.")
TRAINING = gettext_noop("The training waits or runs.")
STOPPED = gettext_noop("The training was stopped.")
TRAINED = gettext_noop("{title} was trained.")
NO_TRAINING = gettext_noop("Nothing was trained.")
IN_USE = gettext_noop("{title} is in use. {reason}")
NOT_IN_USE = gettext_noop("{title} is not in use. {reason}")
FIRST, BY_AGE, BY_DRIFT = "first", "age", "drift"


def train_again(step: PlanStep) -> Outcome:
    """Queues a training if one is due, once, and waits for its end."""
    training = find_training(step)
    if training is None:
        dataset = Dataset.objects.get(pk=step.run.dataset_id)
        version, data = version_in_use(dataset), dataset.current_version
        if data is None:
            return skip(NO_SALES)
        reason = find_reason(step.run.plan, version)
        if not reason:
            return skip(NOT_DUE, day=last_attempt(dataset, version).date().isoformat())
        if version is not None and version.dataset_version_id == data.pk:
            return skip(SAME_SALES)
        training = queue_training(step, dataset, version)
    links = {"run": str(training.pk)}
    if not training.has_ended:
        return wait(TRAINING, links)
    if training.state == TrainingRun.State.CANCELLED:
        raise MessageError(STOPPED)
    if training.state == TrainingRun.State.FAILED:
        raise MessageError(training.error, **(training.error_values or {}))
    title = training.version.title if training.version else "–"
    return Outcome(TRAINED, {"title": title}, links)


def judge_version(step: PlanStep) -> Outcome:
    """What the gate decided when the version was published."""
    training = find_training(step)
    version = training.version if training else None
    decision = version.gate_decision if version else None
    if version is None or decision is None:
        return skip(NO_TRAINING)
    is_in_use = decision.kind == VersionChange.Kind.PUBLISHED
    reason = {"message": decision.text, "values": decision.values}
    facts: dict[str, Any] = {"title": version.title, "reason": reason}
    return Outcome(IN_USE if is_in_use else NOT_IN_USE, facts, {"model": str(version.pk)})


def find_training(step: PlanStep) -> TrainingRun | None:
    """The training of this run of the plan."""
    return TrainingRun.objects.filter(form_token=make_token(step)).select_related("version").first()


def make_token(step: PlanStep) -> uuid.UUID:
    """The same for each attempt at the step."""
    return uuid.uuid5(step.run.pk, "training")


def queue_training(step: PlanStep, dataset: Dataset, version: ModelVersion | None) -> TrainingRun:
    """The settings of the version in use on the newest sales; the first time the best of all methods."""
    plan, token = step.run.plan, make_token(step)
    if version is not None:
        return retrain_version(version, plan.created_by, token, is_limited=False, budget=plan.budget)
    from registry.algorithms import AUTO

    data = dataset.current_version
    if data is None:
        raise MessageError(NO_SALES)
    options = RunOptions(budget=plan.budget, created_by=plan.created_by, form_token=token)
    return save_and_queue(build_run(data, EVERYTHING, AUTO.name, **options), is_limited=False)


def find_reason(plan: Plan, version: ModelVersion | None) -> str:
    """Why a training is due: there is no version yet, the last training is old, or an alert came since."""
    if version is None:
        return FIRST
    last = last_attempt(plan.dataset, version)
    is_old = timezone.now() - last >= timedelta(weeks=plan.retrain_weeks) - SLACK
    if is_old and plan.retrain in (Plan.Retrain.WEEKS, Plan.Retrain.BOTH):
        return BY_AGE
    if plan.retrain in (Plan.Retrain.DRIFT, Plan.Retrain.BOTH):
        alerts = AccuracyAlert.objects.filter(dataset=plan.dataset, opened_at__gt=last)
        if alerts.exclude(state=AccuracyAlert.State.CLOSED).exists():
            return BY_DRIFT
    return ""


def last_attempt(dataset: Dataset, version: ModelVersion | None) -> datetime:
    """When everything in the dataset was last trained, whether the version came into use or not."""
    done = TrainingRun.objects.filter(dataset_version__dataset=dataset, kind="global", version__isnull=False)
    newest = done.order_by("-created_at").values_list("created_at", flat=True).first()
    moments = [moment for moment in (newest, version.created_at if version else None) if moment]
    return max(moments, default=timezone.now())
