"""`manage.py run_training RUN TOKEN`: the child process of a worker. To train manually, use `train`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from registry.lib.errors import split_error
from registry.lib.log_context import name_from_now_on
from registry.lib.process import die_with_parent
from training import leases
from training.learning.distributed import ProcessLost
from training.models import TrainingRun
from training.process.exit_reasons import LOST_CODE, is_disk_full
from training.process.limits import apply_limits
from training.rendezvous import LeaseLost
from training.runner import EXPECTED_ERRORS, join_training, train_and_publish


class Command(BaseCommand):
    help = "Trains a run that a worker has claimed (started by the worker)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", help="id of the run")
        parser.add_argument("token", help="token of the attempt that owns the run")
        parser.add_argument("--join", action="store_true", help="learn with the process that leads")
        parser.add_argument("--parent", type=int, help="pid of the worker; this process ends with it")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent(options["parent"])
        apply_limits(settings.TRAINING_MEMORY_MB)
        name_from_now_on(run=options["run"])
        run = leases.find_owned(options["run"], options["token"])
        if run is None:
            raise CommandError(
                "This attempt does not own the run: it has ended or another worker has claimed it."
            )
        if options["join"]:
            self.join(run)
            return
        try:
            train_and_publish(run)
        except EXPECTED_ERRORS as error:
            run.mark_failed(*split_error(error))
            raise CommandError(str(error)) from error
        except LeaseLost as error:
            raise CommandError(str(error)) from error
        except ProcessLost as error:
            raise CommandError(str(error), returncode=LOST_CODE) from error
        except (OSError, DatabaseError) as error:
            if not is_disk_full(error):
                raise
            raise CommandError(str(error)) from None  # the worker, which has a word for it, fails the run

    def join(self, run: TrainingRun) -> None:
        """What goes wrong here is told by the process that leads, which finds the same or loses this one."""
        try:
            join_training(run)
        except (*EXPECTED_ERRORS, LeaseLost, ProcessLost) as error:
            raise CommandError(str(error), returncode=LOST_CODE) from error
