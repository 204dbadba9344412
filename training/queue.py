"""The training queue: enqueueing, limits per person, and the order of waiting runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import zip_longest
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from registry.access.audit import AuditAction, record_action
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope, ScopeKind
from registry.model_versions.models import ModelVersion
from training.estimate import estimate_cost
from training.models import TrainingRun


class RunOptions(TypedDict, total=False):
    """Options of a training besides data, scope and algorithm."""

    config: dict[str, Any]
    horizon: int
    budget: int
    seed: int
    processes: int
    hosts: int
    created_by: User | None
    form_token: uuid.UUID | None


def build_run(
    dataset_version: DatasetVersion, scope: Scope, algorithm: str, **options: Unpack[RunOptions]
) -> TrainingRun:
    """A validated run that is not saved yet; raises ValueError with one sentence."""
    from registry.algorithms import build_config  # imports torch

    options = RunOptions(processes=settings.TRAINING_PROCESSES) | options
    run = TrainingRun(
        dataset_version=dataset_version, kind=scope.kind, code=scope.code, algorithm=algorithm, **options
    )
    dataset_version.check_scope(scope)
    check_number(_("Days ahead"), run.horizon, settings.MAX_HORIZON)
    check_number(_("Training time (seconds)"), run.budget, settings.MAX_BUDGET)
    build_config(algorithm, run.config)
    run.estimate = estimate_cost(run)
    return run


def enqueue_run(
    dataset_version: DatasetVersion, scope: Scope, algorithm: str, **options: Unpack[RunOptions]
) -> TrainingRun:
    """Saves the run and its job in one transaction; the same form token again gives the run made first.

    Raises ValueError with one sentence, also if this person has too many runs waiting.
    """
    return save_and_queue(build_run(dataset_version, scope, algorithm, **options))


def enqueue_each(
    dataset_version: DatasetVersion, kind: ScopeKind, algorithm: str, **options: Unpack[RunOptions]
) -> list[TrainingRun]:
    """Queues a training for each store or product, all or none, with a `group` that they share.

    Raises ValueError with one sentence. They are not limited by what one person may have waiting.
    """
    group, codes = uuid.uuid4(), dataset_version.stores if kind == "store" else dataset_version.products
    runs = [build_run(dataset_version, Scope(kind, code), algorithm, **options) for code in codes]
    with transaction.atomic():
        for run in runs:
            run.group = group
            save_and_queue(run, is_limited=False)
    return runs


def save_and_queue(run: TrainingRun, is_limited: bool = True) -> TrainingRun:
    """Saves a new run and its job, or gives the run that has its form token; raises ValueError."""
    try:
        with transaction.atomic():
            lock_user(run.created_by_id)
            run.save(force_insert=True)
            if is_limited:
                check_waiting_limit(run.created_by_id)
            run.push_job()
            record_action(AuditAction.TRAINED, run, run.created_by, str(run.dataset_version))
    except IntegrityError:
        twin = TrainingRun.objects.filter(form_token=run.form_token, form_token__isnull=False).first()
        if twin is None:
            raise
        return twin
    return run


def repeat_run(run: TrainingRun, user: User, token: uuid.UUID | None = None) -> TrainingRun:
    """Queues a run with the same settings; calling it twice gives the same run. Raises ValueError."""
    options = RunOptions(config=run.config, horizon=run.horizon, budget=run.budget, seed=run.seed)
    options |= {"created_by": user, "form_token": token or uuid.uuid5(run.pk, "again")}
    return enqueue_run(run.dataset_version, run.scope, run.algorithm, **options)


def retrain_version(
    version: ModelVersion, user: User | None, token: uuid.UUID, is_limited: bool = True, budget: int = 0
) -> TrainingRun:
    """Queues a training with the settings of the version on the newest sales. Raises ValueError.

    `budget`: seconds to learn, if not as many as before.
    """
    before = TrainingRun.objects.filter(version=version).first()
    data = version.model.dataset.current_version
    if data is None:
        raise ValueError(_("%(dataset)s has no finished version.") % {"dataset": version.model.dataset})
    like: Any = before or version  # a version made by `auto` names only the winner
    options = RunOptions(config=like.config, horizon=like.horizon, seed=like.seed)
    budget = budget or (before.budget if before else 60)
    options |= {"budget": budget, "created_by": user, "form_token": token}
    return save_and_queue(build_run(data, version.model.scope, like.algorithm, **options), is_limited)


def check_number(label: str, number: int, maximum: int) -> None:
    """Raises ValueError unless 1 <= number <= maximum."""
    if not 1 <= number <= maximum:
        raise ValueError(
            _("%(label)s is %(number)s: choose a whole number from 1 to %(top)s.")
            % {"label": label, "number": number, "top": maximum}
        )


def check_waiting_limit(user_id: int | None) -> None:
    """Raises ValueError if more runs of this person are waiting than allowed."""
    top = settings.WAITING_PER_USER
    waiting = TrainingRun.objects.filter(created_by=user_id, state=TrainingRun.State.QUEUED)
    if user_id and waiting.count() > top:
        raise ValueError(
            _("You already have %(top)s trainings waiting. Let one start, or stop one on the queue page.")
            % {"top": top}
        )


def lock_user(user_id: int | None) -> None:
    """Locks the user row, so that one person's runs start one after the other; needs a transaction."""
    if user_id is not None:
        User.objects.select_for_update().filter(pk=user_id).first()


def waiting_order() -> list[TrainingRun]:
    """All waiting runs in the order in which they will start: people take turns, each with their oldest.

    The person whose last start is longest ago comes first.
    """
    runs = TrainingRun.objects
    waiting: dict[int | None, list[TrainingRun]] = {}
    queued = runs.filter(state=TrainingRun.State.QUEUED)
    for run in queued.select_related("dataset_version__dataset", "created_by").order_by("created_at"):
        waiting.setdefault(run.created_by_id, []).append(run)
    starts = runs.filter(created_by__in=waiting).values_list("created_by").annotate(Max("started_at"))
    last = {person: start.timestamp() if start else 0.0 for person, start in starts}
    people = sorted(waiting, key=lambda person: (last.get(person, 0.0), waiting[person][0].created_at))
    return list(take_turns(waiting[person] for person in people))


def take_turns(rows: Iterable[list[TrainingRun]]) -> Iterator[TrainingRun]:
    """The first of each row, then the second of each, and so on."""
    for turn in zip_longest(*rows):
        yield from (run for run in turn if run is not None)


def may_start(run: TrainingRun) -> bool:
    """False while its owner has the maximum number of runs running; runs without owner always may."""
    busy = TrainingRun.objects.filter(created_by=run.created_by_id, state=TrainingRun.State.RUNNING)
    return run.created_by_id is None or busy.count() < settings.RUNNING_PER_USER


def queue_context(user_id: int) -> dict[str, Any]:
    """Template context of the queue page."""
    named = TrainingRun.objects.select_related("dataset_version__dataset", "created_by", "version")
    waiting = waiting_order()
    return {
        "running": named.filter(state=TrainingRun.State.RUNNING).order_by("started_at"),
        "waiting": waiting,
        "ended": named.filter(state__in=TrainingRun.ENDED_STATES).order_by("-finished_at")[:10],
        "mine": sum(run.created_by_id == user_id for run in waiting),
        "top": settings.WAITING_PER_USER,
        "at_once": settings.RUNNING_PER_USER,
    }


def pop_newly_ended(user_id: int) -> list[TrainingRun]:
    """Runs of this person that ended within a day; each run is returned once."""
    runs = TrainingRun.objects
    fresh = Q(created_by=user_id, announced=False, finished_at__gt=Now() - timedelta(days=1))
    ended = runs.filter(fresh, state__in=TrainingRun.ENDED_STATES).select_related(
        "version", "dataset_version__dataset"
    )
    return [run for run in ended if runs.filter(pk=run.pk, announced=False).update(announced=True)]


def mark_end_seen(run_id: uuid.UUID, user_id: int | None) -> None:
    """Notes that the run's owner has seen its end on its page, so that no other page announces it."""
    ended = TrainingRun.objects.filter(pk=run_id, state__in=TrainingRun.ENDED_STATES, announced=False)
    ended.filter(created_by=user_id, created_by__isnull=False).update(announced=True)
