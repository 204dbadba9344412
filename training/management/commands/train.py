"""`manage.py train`: trains in this process, or with --queue leaves it to the workers."""

from __future__ import annotations

import json
import os
import socket
import time
from argparse import ArgumentTypeError
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import transaction

from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.lib.cli import build_int_type
from registry.lib.errors import split_error
from registry.lib.formatting import format_percent
from registry.model_versions.metric_labels import missing_error_reason
from registry.model_versions.models import ModelVersion
from training import leases
from training.models import TrainingRun
from training.process.exit_reasons import DISK_FULL_TEXT, INTERRUPTED_TEXT, is_disk_full
from training.queue import build_run, enqueue_each, enqueue_run
from training.rendezvous import LeaseLost
from training.runner import EXPECTED_ERRORS, keep_lease, train_and_publish
from training.tasks import supervise_run


def parse_scope(text: str) -> Scope:
    """argparse type for global, store:CODE or product:CODE."""
    try:
        return Scope.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def parse_knob(text: str) -> tuple[str, str]:
    """argparse type for name=value."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not knob=value")
    return name, value


class Command(BaseCommand):
    help = "Trains an algorithm on a dataset, scores it on days held back, and publishes the version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--scope", type=parse_scope, help="global, store:CODE or product:CODE")
        what.add_argument(
            "--each", choices=("store", "product"), help="queue one training for each; print their group"
        )
        parser.add_argument("--algorithm", required=True, help="a name that `manage.py algorithms` lists")
        parser.add_argument(
            "--horizon", type=build_int_type(settings.MAX_HORIZON), default=28, help="days ahead"
        )
        parser.add_argument(
            "--budget", type=build_int_type(settings.MAX_BUDGET), default=60, help="learning time in seconds"
        )
        parser.add_argument("--set", type=parse_knob, action="append", default=[], metavar="knob=value")
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same results")
        parser.add_argument(
            "--processes",
            type=build_int_type(64),
            default=settings.TRAINING_PROCESSES,
            help="that learn one network together on each machine",
        )
        parser.add_argument(
            "--hosts", type=build_int_type(64), default=1, help="machines whose workers learn together"
        )
        parser.add_argument(
            "--queue", action="store_true", help="queue it for the workers and print the run's id"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Turns a full disk, in whichever step, into one sentence."""
        try:
            return super().execute(*args, **options)
        except (OSError, DatabaseError) as error:
            if is_disk_full(error):
                raise CommandError(DISK_FULL_TEXT) from error
            raise

    def handle(self, *args: Any, **options: Any) -> None:
        chosen: dict[str, Any] = {
            name: options[name] for name in ("horizon", "budget", "seed", "processes", "hosts")
        }
        dataset = Dataset.objects.filter(name=options["dataset"]).first()
        data = dataset.current_version if dataset else None
        if data is None:
            raise CommandError(f"There is no dataset {options['dataset']!r}: import it with import_sales.")
        if options["each"]:
            self.queue_each(data, options, chosen)
            return
        make_run = enqueue_run if options["queue"] else build_run
        try:
            run = make_run(
                data, options["scope"], options["algorithm"], config=dict(options["set"]), **chosen
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        if options["queue"]:
            self.write_result(options["json"], {"run": str(run.pk)}, f"Queued as {run.pk}.")
            return
        is_alone = run.processes * run.hosts == 1
        version = self.train_here(run) if is_alone else self.train_in_children(run)
        line = (
            f"{version.name}: error {format_percent(version.wape)}. {missing_error_reason(version.metrics)}"
        )
        self.write_result(options["json"], serialize_result(run, version), line.removesuffix(". "))

    def queue_each(self, data: DatasetVersion, options: dict[str, Any], chosen: dict[str, Any]) -> None:
        """Queues a training for each store or product."""
        config = dict(options["set"])
        try:
            runs = enqueue_each(data, options["each"], options["algorithm"], config=config, **chosen)
        except ValueError as error:
            raise CommandError(str(error)) from None
        report = {"group": str(runs[0].group), "runs": [str(run.pk) for run in runs]}
        line = f"Queued {len(runs)} trainings: see `manage.py runs --group {runs[0].group}`."
        self.write_result(options["json"], report, line)

    def save_run(self, run: TrainingRun) -> None:
        with transaction.atomic():
            run.save(force_insert=True)
            record_action(AuditAction.TRAINED, run, why=str(run.dataset_version))

    def train_here(self, run: TrainingRun) -> ModelVersion:
        """Trains in this process, with the code of the worker."""
        self.save_run(run)
        claimed = leases.claim_run(run.pk, os.getpid(), socket.gethostname())
        if claimed is None:
            raise CommandError("Another worker has claimed the run: see `manage.py runs`.")
        try:
            with keep_lease(claimed):
                return train_and_publish(claimed)
        except EXPECTED_ERRORS as error:
            claimed.mark_failed(*split_error(error))
            raise CommandError(str(error)) from error
        except LeaseLost as error:
            raise CommandError(str(error)) from error
        except BaseException as error:
            with suppress(DatabaseError):  # on a full disk the row cannot change; the lease expires
                if is_disk_full(error):
                    claimed.mark_failed(DISK_FULL_TEXT)
                else:
                    claimed.mark_failed(INTERRUPTED_TEXT, {"error": type(error).__name__})
            raise

    def train_in_children(self, run: TrainingRun) -> ModelVersion:
        """Trains in children that this process watches as a worker does: a lost one starts again."""
        self.save_run(run)
        while not run.has_ended:
            claimed = leases.claim_run(run.pk, os.getpid(), socket.gethostname())
            if claimed is None:
                time.sleep(1)  # a worker has it, or gives it back
            else:
                supervise_run(claimed)
            run.refresh_from_db()
        if run.version is None:
            raise CommandError(run.error_text or "The training was stopped.")
        return run.version

    def write_result(self, as_json: bool, content: dict[str, Any], line: str) -> None:
        self.stdout.write(json.dumps(content) if as_json else line)


def serialize_result(run: TrainingRun, version: ModelVersion) -> dict[str, Any]:
    """A finished training as scripts read it."""
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
