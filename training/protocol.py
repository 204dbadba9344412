"""Verbs over training runs: ask, enqueue, claim, reap. The verbs of one run are in training.models."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import OrmQ

from registry.audit import Act, record
from registry.models import DatasetVersion, ModelVersion
from registry.scope import Scope
from training.cost import estimate

if TYPE_CHECKING:
    from training.models import TrainingRun

QUEUE = "training"
FOLDER = "runs"  # below DATA_DIR: the checkpoints of runs that are not over
LEASE = timedelta(seconds=30)  # a worker that is silent for so long has lost the run
BEAT = 5.0  # seconds between two beats
LOST_AFTER = timedelta(seconds=30)  # a waiting run without a queue row is queued again after this


class Asked(TypedDict, total=False):
    """What a training may be asked for besides data, scope and algorithm."""

    config: dict[str, Any]
    horizon: int
    budget: int
    seed: int
    created_by: User | None
    form_token: uuid.UUID | None


class RunQuerySet(models.QuerySet["TrainingRun"]):
    """Verbs over runs."""

    def ask(
        self, dataset_version: DatasetVersion, scope: Scope, algorithm: str, **asked: Unpack[Asked]
    ) -> TrainingRun:
        """A checked run that is not saved yet; raises ValueError with one sentence."""
        from registry.algorithms import build_config  # imports torch

        run = self.model(
            dataset_version=dataset_version, kind=scope.kind, code=scope.code, algorithm=algorithm, **asked
        )
        dataset_version.check_scope(scope)
        check_number(_("Days ahead"), run.horizon, settings.MAX_HORIZON)
        check_number(_("Seconds to learn"), run.budget, settings.MAX_BUDGET)
        build_config(algorithm, run.config)
        run.estimate = estimate(run)
        return run

    def enqueue(
        self, dataset_version: DatasetVersion, scope: Scope, algorithm: str, **asked: Unpack[Asked]
    ) -> TrainingRun:
        """Run row and queue row in one transaction; a form posted twice gives the run it made first.

        Raises ValueError with one sentence, also when this person has too many waiting.
        """
        run = self.ask(dataset_version, scope, algorithm, **asked)
        try:
            with transaction.atomic():
                lock(run.created_by_id)
                run.save(force_insert=True)
                self.check_waiting(run.created_by_id)
                run.push()
                record(Act.TRAINED, run, run.created_by, str(dataset_version))
        except IntegrityError:
            twin = self.filter(form_token=run.form_token, form_token__isnull=False).first()
            if twin is None:
                raise
            return twin
        return run

    def renew(self, version: ModelVersion, user: User, token: uuid.UUID) -> TrainingRun:
        """Queues a training like the one that made the version, on the newest sales. Raises ValueError."""
        before = self.filter(version=version).first()
        data = version.model.dataset.current
        if data is None:
            words = {"dataset": version.model.dataset}
            raise ValueError(_("%(dataset)s has no finished version.") % words)
        like: Any = before or version  # the run also knows what `auto` was asked for
        asked = Asked(config=like.config, horizon=like.horizon, seed=like.seed)
        asked |= {"budget": before.budget if before else 60, "created_by": user, "form_token": token}
        return self.enqueue(data, version.model.scope, like.algorithm, **asked)

    def check_waiting(self, person: int | None) -> None:
        """Raises ValueError with a sentence when more runs of this person wait than may."""
        top = settings.WAITING_PER_USER
        if person and self.filter(created_by=person, state=self.model.State.QUEUED).count() > top:
            raise ValueError(
                _("%(top)s of your trainings wait already: let one begin, or stop one on the queue page.")
                % {"top": top}
            )

    def line(self) -> list[TrainingRun]:
        """All waiting runs in the order in which they will start: people take turns, each with the oldest.

        Who has waited longest since the last start of an own training is first.
        """
        state = self.model.State
        waiting: dict[int | None, list[TrainingRun]] = {}
        queued = self.filter(state=state.QUEUED).select_related("dataset_version__dataset", "created_by")
        for run in queued.order_by("created_at"):
            waiting.setdefault(run.created_by_id, []).append(run)
        starts = self.filter(created_by__in=waiting).values_list("created_by").annotate(Max("started_at"))
        last = {person: start.timestamp() if start else 0.0 for person, start in starts}
        people = sorted(waiting, key=lambda person: (last.get(person, 0.0), waiting[person][0].created_at))
        return list(in_turns(waiting[person] for person in people))

    def overview(self, person: int) -> dict[str, Any]:
        """What the queue page shows, and how much of it is this person's."""
        state = self.model.State
        named = self.select_related("dataset_version__dataset", "created_by", "version")
        waiting = self.line()
        return {
            "running": named.filter(state=state.RUNNING).order_by("started_at"),
            "waiting": waiting,
            "ended": named.filter(state__in=self.model.ENDED).order_by("-finished_at")[:10],
            "mine": sum(run.created_by_id == person for run in waiting),
            "top": settings.WAITING_PER_USER,
            "at_once": settings.RUNNING_PER_USER,
        }

    def news(self, person: int) -> list[TrainingRun]:
        """Runs of this person that ended since the last call (within a day); each is given once."""
        fresh = Q(created_by=person, announced=False, finished_at__gt=Now() - timedelta(days=1))
        ended = self.filter(fresh, state__in=self.model.ENDED).select_related("version")
        return [run for run in ended if self.filter(pk=run.pk, announced=False).update(announced=True)]

    def may_start(self, run: TrainingRun) -> bool:
        """False while its owner has as many in work as one person may; the machine's own are not counted."""
        busy = self.filter(created_by=run.created_by_id, state=self.model.State.RUNNING)
        return run.created_by_id is None or busy.count() < settings.RUNNING_PER_USER

    def take(self, run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
        """What a worker does with a job: it claims the run whose turn it is, not the one the job names.

        There is one job for each waiting run, so every run gets its turn. None = nothing to do.
        """
        for run in self.line():
            with transaction.atomic():
                lock(run.created_by_id)
                taken = self.claim(run.pk, pid, host) if self.may_start(run) else None
            if taken is not None:
                return taken
        return (
            self.claim(run_id, pid, host) if self.filter(pk=run_id, lease_until__lt=Now()).exists() else None
        )

    def claim(self, run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
        """Takes a waiting run, or one whose worker is silent; None when there is nothing to take.

        This one conditional UPDATE makes a job that is delivered twice harmless. The attempt is counted
        here, at the start, so a job that kills its worker cannot come back for ever.
        """
        run = self.filter(pk=run_id, attempt__lt=self.model.MAX_ATTEMPTS).first()
        if run is None:
            return None
        state = self.model.State
        free = Q(state=state.QUEUED) | Q(state=state.RUNNING, lease_until__lt=Now())
        owner = {"attempt_token": uuid.uuid4(), "pid": pid, "host": host}
        life = {"heartbeat_at": Now(), "lease_until": Now() + LEASE, "started_at": Now()}
        where = free & Q(attempt=run.attempt, cancel_requested=False)
        before = run.attempt_token
        told = [run.starting()]
        if not run.move(where, told, state=state.RUNNING, attempt=F("attempt") + 1, **owner, **life):
            return None
        run.drop_unfinished(before)
        return run

    def held(self, run_id: uuid.UUID | str, token: uuid.UUID | str) -> TrainingRun | None:
        """The run, if this attempt still owns it."""
        return self.filter(pk=run_id, attempt_token=token, state=self.model.State.RUNNING).first()

    def reap(self) -> list[TrainingRun]:
        """Runs whose worker is silent are queued again or failed.

        Safe to call from several hosts at once: every step is conditional.
        """
        silent = Q(lease_until__lt=Now()) | Q(lease_until__isnull=True)
        running = self.filter(silent, state=self.model.State.RUNNING)
        self.sweep()
        return [run for run in running if run.expire()]

    def sweep(self) -> None:
        """Checkpoints of runs that are over or gone, left by a worker that was lost, go."""
        folders = {folder.name: folder for folder in (Path(settings.DATA_DIR) / FOLDER).glob("*-*-*-*-*")}
        if folders:
            going = self.filter(state__in=[self.model.State.QUEUED, self.model.State.RUNNING])
            for name in folders.keys() - {str(pk) for pk in going.values_list("pk", flat=True)}:
                shutil.rmtree(folders[name], ignore_errors=True)

    def requeue_lost(self) -> list[TrainingRun]:
        """As many jobs as runs wait that may start: a job that was taken may be a dead worker's."""
        waiting = self.filter(state=self.model.State.QUEUED, created_at__lt=Now() - LOST_AFTER)
        startable = [run for run in waiting if self.may_start(run)]
        free = OrmQ.objects.filter(key=QUEUE, lock__lte=timezone.now()).count() if startable else 0
        for run in startable[free:]:
            run.push()
        return startable[free:]

    def stalled(self) -> bool:
        """Runs wait although none is in work: nobody takes jobs from the queue."""
        state = self.model.State
        return self.filter(state=state.QUEUED).exists() and not self.filter(state=state.RUNNING).exists()

    def unlock_queue(self) -> None:
        """Jobs that a dead worker had taken may be taken again at once, not after the queue's `retry`."""
        OrmQ.objects.filter(key=QUEUE).update(lock=timezone.now())


def check_number(label: str, number: int, top: int) -> None:
    """Raises ValueError with a sentence unless 1 <= number <= top."""
    if not 1 <= number <= top:
        raise ValueError(
            _("%(label)s is %(number)s: choose a whole number from 1 to %(top)s.")
            % {"label": label, "number": number, "top": top}
        )


def lock(person: int | None) -> None:
    """Inside a transaction: what this person starts is decided one after the other."""
    if person is not None:
        User.objects.select_for_update().filter(pk=person).first()


def in_turns(rows: Iterable[list[TrainingRun]]) -> Iterator[TrainingRun]:
    """The first of each row, then the second of each, and so on."""
    for turn in zip_longest(*rows):
        yield from (run for run in turn if run is not None)
