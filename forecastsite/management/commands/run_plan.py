"""manage.py run_plan: runs a schedule now, or says what a run would do."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from forecastsite.automation.models import Plan, PlanRun, PlanStep
from forecastsite.automation.preview import preview_plan
from forecastsite.automation.runner import work_on_plan_run
from forecastsite.automation.starting import start_plan
from registry.lib.messages import translate_error

PAUSE_SECONDS = 1.0
EXIT_FAILED = 3


class Command(BaseCommand):
    help = (
        "Runs a schedule now and waits for its end; trainings and orders are done by the workers of `up`. "
        "Exits with 3 if a step failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the schedule")
        parser.add_argument("--dry-run", action="store_true", help="only say what a run would do")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan.objects.filter(name=options["name"]).select_related("dataset").first()
        if plan is None:
            known = ", ".join(Plan.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no such schedule: there are {known}.", returncode=2)
        if options["dry_run"]:
            steps = [{"step": one.kind, "text": one.sentence} for one in preview_plan(plan)]
            self.report({"plan": plan.name, "steps": steps}, options["json"])
            return
        try:
            run = start_plan(plan, PlanRun.Cause.COMMAND, is_queued=False)
        except ValueError as problem:
            raise CommandError(translate_error(problem)) from None
        self.wait_for(run)
        steps = [describe_step(step) for step in run.steps.order_by("place")]
        facts = {"plan": plan.name, "run": str(run.pk), "stage": run.stage, "steps": steps}
        self.report(facts, options["json"])
        if not run.is_done:
            raise CommandError(run.error_text, returncode=EXIT_FAILED)

    def wait_for(self, run: PlanRun) -> None:
        """Works on the run, or lets whoever has it do so, until it has ended."""
        while run.is_going:
            work_on_plan_run(str(run.pk))
            run.refresh_from_db()
            if run.is_going:
                time.sleep(PAUSE_SECONDS)

    def report(self, facts: dict[str, Any], as_json: bool) -> None:
        """One JSON object, or a line for each step."""
        if as_json:
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        for step in facts["steps"]:
            self.stdout.write("  ".join(step[name] for name in ("step", "state", "text") if name in step))


def describe_step(step: PlanStep) -> dict[str, Any]:
    """A step as the report names it."""
    return {"step": step.kind, "state": step.state, "text": step.sentence, "links": step.links}
