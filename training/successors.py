"""Successors: the settings of a version in use, trained by today's release on the newest sales."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from registry.model_versions.models import ModelVersion
from registry.model_versions.outdated import check_outdated
from training.models import TrainingRun
from training.queue import retrain_version


def retrain_token(version: ModelVersion) -> uuid.UUID:
    """The same for two clicks in a row, so that they start one training; another one once it has ended."""
    data = version.model.dataset.current_version
    ended = TrainingRun.objects.filter(
        dataset_version=data, kind=version.model.kind, code=version.model.code, finished_at__isnull=False
    )
    return uuid.uuid5(version.pk, f"retrain on {data.pk if data else None} after {ended.count()}")


def explain_successor(version: ModelVersion) -> str:
    """Why the version needs a successor; raises ValueError with one sentence if it gets none."""
    if not version.is_best:
        raise ValueError(_("It is not in use: select the version that is."))
    outdated = check_outdated(version)
    if outdated is None:
        raise ValueError(_("It knows the newest sales, and this release made it."))
    if find_tried(version):
        raise ValueError(_("Its settings were trained on the newest sales already, and it stayed in use."))
    return outdated.reason_text


def find_tried(version: ModelVersion) -> TrainingRun | None:
    """The training of the same settings on the newest sales by this release, if the gate has refused it.

    The same settings on the same sales would give the same model.
    """
    like: Any = TrainingRun.objects.filter(version=version).first() or version
    twins = TrainingRun.objects.filter(
        state=TrainingRun.State.DONE,
        dataset_version=version.model.dataset.current_version,
        kind=version.model.kind,
        code=version.model.code,
        algorithm=like.algorithm,
        config=like.config,
        horizon=like.horizon,
        seed=like.seed,
        version__isnull=False,
    ).exclude(version=version)
    return next((run for run in twins.select_related("version__model__dataset") if is_current(run)), None)


def is_current(run: TrainingRun) -> bool:
    """Whether this release made the run's version."""
    if run.version is None:
        return False
    outdated = check_outdated(run.version)
    return outdated is None or not outdated.is_of_earlier_release


def queue_successor(version: ModelVersion, user: User | None = None) -> TrainingRun:
    """Queues it, once however often it is asked for; raises ValueError with one sentence.

    Whoever updates an installation may queue more than one person otherwise may.
    """
    explain_successor(version)
    return retrain_version(version, user, retrain_token(version), is_limited=False)
