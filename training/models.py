"""TrainingRun: one attempt to learn, and the protocol that keeps it truthful.

    queued --claim--> running --finish--> done        the version is published in the same transaction
      |                  |  \\--fail-----> failed      with one plain sentence
      |                  |--lease over--> queued      attempts left: it goes on from its checkpoint
      |                  |                failed      its worker was lost twice
      |                  |--falter------> queued      its process was killed or crashed: the same, at once
      |                  |                failed      with the reason, when it did so twice
      |                  |--release-----> queued      the server stops in good order: no attempt is counted
      \\------cancel------+--------------> cancelled   within seconds; `wrap_up` instead ends the learning
                                                      early and leads to done

Every move is one conditional UPDATE; whoever finds nothing to update has lost the run and must leave.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django_q.tasks import async_task

from registry.audit import Act, record
from registry.models import ModelVersion
from registry.rights import Person, owns
from registry.scope import Kind, Scope
from training.columns import RunColumns
from training.cost import peak_mb
from training.events import RunEvent
from training.protocol import FOLDER, LEASE, QUEUE, Asked, RunQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from training.learning import Epoch
    from training.process import End


class TrainingRun(RunColumns):
    """One training: what was asked, where it stands, how it ended. This row is the truth."""

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "-created_at"], name="runs_by_state")]

    def __str__(self) -> str:
        return f"{self.algorithm} · {self.scope}"

    @property
    def scope(self) -> Scope:
        return Scope(cast(Kind, self.kind), self.code)

    @property
    def ended(self) -> bool:
        return self.state in self.ENDED

    def may_steer(self, user: Person) -> bool:
        """Stop it or end it early: all runs, or an own one."""
        return user.has_perm("training.change_trainingrun") or owns(user, self, "training.add_trainingrun")

    @property
    def mine(self) -> Q:
        """True for the row only while this object's attempt owns it."""
        return Q(state=self.State.RUNNING, attempt_token=self.attempt_token, attempt_token__isnull=False)

    def push(self) -> None:
        """Puts the run's id on the training queue. The queue row joins the caller's transaction."""
        async_task("training.tasks.run_training", str(self.pk), cluster=QUEUE, timeout=self.budget + 3600)

    def move(self, where: Q, events: Sequence[RunEvent], **changes: Any) -> bool:
        """Changes the row if `where` holds and tells the events, in one short transaction; False = lost it.

        The UPDATE holds the row's lock while the events are numbered, so their seq has no gap.
        """
        with transaction.atomic():
            row = TrainingRun.objects.filter(where, pk=self.pk)
            if not row.update(last_seq=F("last_seq") + len(events), **changes):
                return False
            self.refresh_from_db(fields=["last_seq", *changes])
            for back, event in enumerate(reversed(events)):
                event.run, event.seq = self, self.last_seq - back
            RunEvent.objects.bulk_create(events)
        return True

    def beat(self) -> bool:
        """Extends the lease and reads the stop flag; False when another attempt owns the run now."""
        mine = TrainingRun.objects.filter(self.mine, pk=self.pk)
        return bool(mine.update(heartbeat_at=Now(), lease_until=Now() + LEASE)) and self.look()

    def look(self) -> bool:
        """Reads the stop flag; False when another attempt owns the run now."""
        flag = TrainingRun.objects.filter(self.mine, pk=self.pk).values_list("cancel_requested", flat=True)
        found = flag.first()
        self.cancel_requested = bool(found)
        return found is not None

    def starting(self) -> RunEvent:
        """The event of a new attempt."""
        if any(self.folder.glob("*")):
            text = gettext_noop("The training goes on where it was interrupted.")
        elif self.attempt:
            text = gettext_noop("The training starts again.")
        else:
            text = gettext_noop("The training starts.")
        return self._told(self.State.RUNNING, text)

    def work_in(self, pid: int) -> bool:
        """Notes the process that learns; False when another attempt owns the run now."""
        return self.move(self.mine, [], pid=pid)

    def record(self, epochs: Sequence[Epoch], before: int | None = None) -> bool:
        """Tells what was learned since the last call and moves the bar; False when the run is lost.

        `before` counts the signs of life of this attempt so far: a learning that was interrupted repeats
        what it had said, and that is not told twice.
        """
        before = self.told if before is None else before
        fresh = epochs[max(0, self.told - before) :]
        events = [event for epoch in fresh for event in RunEvent.of(epoch)]
        last, told = epochs[-1], max(self.told, before + len(epochs))
        bar: dict[str, Any] = {
            "step": last.step,
            "progress": last.progress,
            "seconds_left": last.seconds_left,
        }
        bar["memory_mb"] = max(peak_mb(), self.memory_mb or 0)
        return self.move(self.mine, events, told=told, **bar)

    def finish(self, version: ModelVersion) -> bool:
        """Publishes the version and ends the run in one transaction; False = lost it, throw the file away."""
        with transaction.atomic():
            changes = {"version": version, "progress": 1.0, "error": ""}
            if not self.move(
                self.mine, [self._told(self.State.DONE)], **changes, **self._ended(self.State.DONE)
            ):
                return False
            version.publish()
            self.write_to_owner()
        self.drop_checkpoint()
        return True

    def fail(self, reason: str) -> bool:
        """Ends this attempt's run with one plain sentence; False when the run is lost or ended already."""
        return self._end(self.mine, self.State.FAILED, reason)

    def falter(self, end: End) -> bool:
        """This attempt's process is gone: tries again at once while that may help, else fails."""
        if self.cancel_requested:
            return self.stop()
        if end.again and self.attempt < self.MAX_ATTEMPTS:
            text = gettext_noop("It is tried once more, from what it has kept.")
            why = RunEvent(kind=RunEvent.Kind.LOG, level="warning", text=end.reason)
            return self._requeue(self.mine, text, [why])
        return self.fail(end.reason)

    def stop(self) -> bool:
        """Ends this attempt's run because somebody asked for it."""
        return self._end(self.mine, self.State.CANCELLED)

    def cancel(self, by: User | None = None) -> None:
        """A waiting run ends at once; a running one is stopped by its worker within seconds."""
        with transaction.atomic():
            record(Act.STOPPED, self, by)
            state = TrainingRun.objects.select_for_update().values_list("state", flat=True).get(pk=self.pk)
            if state == self.State.QUEUED:
                self._end(Q(state=self.State.QUEUED), self.State.CANCELLED)
            elif state == self.State.RUNNING:
                line = RunEvent(kind=RunEvent.Kind.LOG, text=gettext_noop("Stop was asked for."))
                self.move(Q(cancel_requested=False), [line], cancel_requested=True)

    def wrap_up(self, by: User | None = None) -> None:
        """Finish now: the learning ends its rounds, is tested, and publishes what it has."""
        line = RunEvent(kind=RunEvent.Kind.LOG, text=gettext_noop("To finish now was asked for."))
        going = Q(state=self.State.RUNNING, finish_requested=False, cancel_requested=False)
        with transaction.atomic():
            record(Act.HURRIED, self, by)
            self.move(going, [line], finish_requested=True)

    def hurried(self) -> bool:
        """Somebody asked to finish now."""
        return TrainingRun.objects.filter(pk=self.pk, finish_requested=True).exists()

    @property
    def points(self) -> list[dict[str, Any]]:
        """The learning curve."""
        seen = RunEvent.objects.filter(run=self, kind=RunEvent.Kind.EPOCH, seq__lte=self.last_seq)
        return list(seen.order_by("seq").values_list("data", flat=True))

    def again(self, user: User, token: uuid.UUID | None = None) -> TrainingRun:
        """A new run with the same settings; asked twice it is the same one. Raises ValueError."""
        asked = Asked(config=self.config, horizon=self.horizon, budget=self.budget, seed=self.seed)
        asked |= {"created_by": user, "form_token": token or uuid.uuid5(self.pk, "again")}
        return TrainingRun.objects.enqueue(self.dataset_version, self.scope, self.algorithm, **asked)

    def release(self) -> bool:
        """Back to the queue because the server stops in good order; the attempt does not count."""
        if self.cancel_requested:
            return self.stop()
        text = gettext_noop("The server was stopped; the training goes on with it.")
        return self._requeue(self.mine, text, attempt=F("attempt") - 1)

    def expire(self) -> bool:
        """The lease is over: try again while attempts are left, else fail. False when it beat after all."""
        over = self.mine & (Q(lease_until__lt=Now()) | Q(lease_until__isnull=True))
        if self.cancel_requested:
            return self._end(over, self.State.CANCELLED)
        if self.attempt < self.MAX_ATTEMPTS:
            return self._requeue(over, gettext_noop("The worker was lost; the training waits for another."))
        reason = gettext_noop(
            "The training lost its worker twice. Look at the server's log, then start it again."
        )
        return self._end(over, self.State.FAILED, reason)

    def _end(self, where: Q, state: str, reason: str = "") -> bool:
        token = self.attempt_token
        done = self.move(where, [self._told(state, reason)], error=reason, **self._ended(state))
        if done:
            self.write_to_owner()
            self.drop_unfinished(token)
            self.drop_checkpoint()
        return done

    def _requeue(self, where: Q, text: str, why: Sequence[RunEvent] = (), **changes: Any) -> bool:
        token = self.attempt_token
        fresh = {"attempt_token": None, "lease_until": None, "pid": None}
        lines = [*why, self._told(self.State.QUEUED, text)]
        with transaction.atomic():
            if not self.move(where, lines, state=self.State.QUEUED, seconds_left=None, **fresh, **changes):
                return False
            self.push()
        self.drop_unfinished(token)
        return True

    def _ended(self, state: str) -> dict[str, Any]:
        """The columns that every ending sets; the token goes, so that a late writer finds nothing."""
        gone = {"attempt_token": None, "lease_until": None, "pid": None, "seconds_left": None}
        return {"state": state, "finished_at": Now(), **gone}

    def _told(self, state: str, text: str = "") -> RunEvent:
        level = "error" if state == self.State.FAILED else "info"
        return RunEvent(kind=RunEvent.Kind.STATE, level=level, text=text, data={"state": state})

    def write_to_owner(self) -> None:
        """Queues an e-mail about the end, when there is a mail server and somebody to write to."""
        wanted = self.state in (self.State.DONE, self.State.FAILED)
        if settings.EMAIL_HOST and wanted and self.created_by and self.created_by.email:
            async_task("training.tasks.write_to_owner", str(self.pk), cluster="light")

    def drop_unfinished(self, attempt: uuid.UUID | None) -> None:
        """An attempt's version carries the attempt's token as its id: what it left half saved goes."""
        for version in ModelVersion.objects.filter(pk__in=[attempt], state=ModelVersion.State.PENDING):
            version.remove()

    @property
    def truth(self) -> dict[str, float]:
        """What it took, beside `estimate`: seconds of the last attempt, memory, rounds; 0 = not known."""
        begun, over = self.started_at, self.finished_at
        took = (over - begun).total_seconds() if begun and over else 0.0
        rounds = self.events.filter(kind=RunEvent.Kind.EPOCH).count()
        return {"seconds": took, "memory_mb": self.memory_mb or 0, "rounds": rounds}

    @property
    def folder(self) -> Path:
        """Where an interrupted learning finds what it knew; on the machine that learned it."""
        return Path(settings.DATA_DIR) / FOLDER / str(self.pk)

    def drop_checkpoint(self) -> None:
        """Nobody goes on with a run that has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
