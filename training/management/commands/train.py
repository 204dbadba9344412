"""`manage.py train`: learns here and now, or with --queue hands the work to the workers."""

from __future__ import annotations

import json
import os
import socket
from argparse import ArgumentTypeError
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import transaction

from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset
from registry.datasets.scope import Scope
from registry.lib.cli import build_int_type
from registry.model_versions.models import ModelVersion
from training import leases
from training.exit_reasons import DISK_FULL_MARKERS, DISK_FULL_TEXT
from training.models import TrainingRun
from training.queue import build_run, enqueue_run
from training.runner import EXPECTED_ERRORS, HeartbeatThread, LeaseLost, train_and_publish


def is_disk_full(error: BaseException) -> bool:
    """Whatever layer says it."""
    return isinstance(error, (OSError, DatabaseError)) and any(
        word in str(error) for word in DISK_FULL_MARKERS
    )


def parse_scope(text: str) -> Scope:
    """An argparse type: global, store:CODE or product:CODE."""
    try:
        return Scope.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def parse_knob(text: str) -> tuple[str, str]:
    """An argparse type: name=value."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not knob=value")
    return name, value


class Command(BaseCommand):
    help = "Trains an algorithm on a dataset, scores it on days held back, and publishes the version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument(
            "--scope", required=True, type=parse_scope, help="global, store:CODE or product:CODE"
        )
        parser.add_argument("--algorithm", required=True, help="a name that `manage.py algorithms` lists")
        parser.add_argument(
            "--horizon", type=build_int_type(settings.MAX_HORIZON), default=28, help="days ahead"
        )
        parser.add_argument(
            "--budget", type=build_int_type(settings.MAX_BUDGET), default=60, help="seconds to learn"
        )
        parser.add_argument("--set", type=parse_knob, action="append", default=[], metavar="knob=value")
        parser.add_argument("--seed", type=int, default=0, help="same seed, same numbers")
        parser.add_argument("--queue", action="store_true", help="let the workers do it, print the run's id")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """A full disk is one sentence, whichever step meets it."""
        try:
            return super().execute(*args, **options)
        except (OSError, DatabaseError) as error:
            if is_disk_full(error):
                raise CommandError(DISK_FULL_TEXT) from error
            raise

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {name: options[name] for name in ("horizon", "budget", "seed")}
        dataset = Dataset.objects.filter(name=options["dataset"]).first()
        data = dataset.current_version if dataset else None
        if data is None:
            raise CommandError(f"There is no dataset {options['dataset']!r}: bring one in with import_sales.")
        verb = enqueue_run if options["queue"] else build_run
        try:
            run = verb(data, options["scope"], options["algorithm"], config=dict(options["set"]), **asked)
        except ValueError as error:
            raise CommandError(str(error)) from None
        if options["queue"]:
            self.write_result(options["json"], {"run": str(run.pk)}, f"Queued as {run.pk}.")
            return
        version = self.train_here(run)
        self.write_result(
            options["json"], serialize_result(run, version), f"{version.name}: error {version.wape}"
        )

    def train_here(self, run: TrainingRun) -> ModelVersion:
        """Here and now, through the worker's own code."""
        with transaction.atomic():
            run.save(force_insert=True)
            record_action(AuditAction.TRAINED, run, why=str(run.dataset_version))
        claimed = leases.claim_run(run.pk, os.getpid(), socket.gethostname())
        if claimed is None:
            raise CommandError("The run was taken by somebody else: look at `manage.py runs`.")
        try:
            with HeartbeatThread(claimed):
                return train_and_publish(claimed)
        except EXPECTED_ERRORS as error:
            claimed.mark_failed(str(error))
            raise CommandError(str(error)) from error
        except LeaseLost as error:
            raise CommandError(str(error)) from error
        except BaseException as error:
            words = f"The training was broken off ({type(error).__name__}). Start it again."
            with suppress(DatabaseError):  # on a full disk the row cannot be changed: the lease says it then
                claimed.mark_failed(DISK_FULL_TEXT if is_disk_full(error) else words)
            raise

    def write_result(self, as_json: bool, content: dict[str, Any], line: str) -> None:
        self.stdout.write(json.dumps(content) if as_json else line)


def serialize_result(run: TrainingRun, version: ModelVersion) -> dict[str, Any]:
    """The contract's object for a finished training."""
    return {
        "version": version.name,
        "state": run.State.DONE,
        "run": str(run.pk),
        "dataset": version.dataset_version.dataset.name,
        "hash": version.dataset_version.content_hash,
        "scope": str(run.scope),
        "algorithm": version.algorithm,
        "seed": version.seed,
        "seconds": version.seconds,
        "bytes": version.size,
        "best": ModelVersion.objects.get(pk=version.pk).is_best,
        "gate": version.gate_decision.reason_text if version.gate_decision else "",
        "metrics": version.metrics,
    }
