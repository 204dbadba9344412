"""Plans: when they start, what their steps do, and that nothing is done twice."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from forecastsite.automation.forms import PlanForm, switch_plan
from forecastsite.automation.models import Plan, PlanRun, PlanStep
from forecastsite.automation.preview import preview_plan
from forecastsite.automation.runner import work_on_plan_run
from forecastsite.automation.starting import start_due_plans, start_plan
from forecastsite.automation.steps import STEPS
from prediction.models import AccuracyAlert, ForecastRun, OrderRun
from prediction.tasks import make_order_run
from registry.datasets.models import Dataset
from registry.datasets.sources.models import Source
from registry.model_versions.models import ModelVersion
from tests.helpers import small_files
from training.models import TrainingRun

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The time, which goes on only when the test says so."""
    found = Clock()
    monkeypatch.setattr(timezone, "now", found)
    return found


@pytest.fixture
def make_plan(sales, user):
    def make(**facts) -> Plan:
        facts = {"retrain": "never", **facts}
        plan = Plan(name=f"nightly {Plan.objects.count()}", dataset=sales.dataset, created_by=user, **facts)
        plan.seen_version = sales
        plan.set_next_time()
        plan.save()
        return plan

    return make


@pytest.fixture
def inbox(settings, tmp_path, sales) -> Path:
    """The folder of a source of sales."""
    settings.SOURCES_DIR = tmp_path / "sources"
    (settings.SOURCES_DIR / "shop").mkdir(parents=True)
    Source.objects.create(name="tills", dataset=sales.dataset, address="shop", needs_marker=True)
    return settings.SOURCES_DIR / "shop"


def drop(inbox: Path, sales, name: str = "day.csv") -> None:
    """Sales of one more day, complete."""
    day = sales.last + timedelta(days=1)
    rows = [f"{day},{store},{product},3" for store in sales.stores for product in sales.products]
    (inbox / name).write_text("\n".join(["date,store,product,qty", *rows]) + "\n")
    (inbox / f"{name}.done").touch()


def work(run: PlanRun) -> PlanRun:
    work_on_plan_run(str(run.pk))
    run.refresh_from_db()
    return run


def told(run: PlanRun) -> dict[str, tuple[str, str]]:
    return {step.kind: (step.state, step.sentence) for step in run.steps.all()}


def test_a_plan_starts_at_its_time_once(make_plan, clock):
    plan = make_plan(at=time(13), weekdays="5", time_zone="UTC")
    assert plan.next_at == NOON + timedelta(hours=1) and start_due_plans() == []
    clock.advance(hours=1)
    (run,) = start_due_plans()
    assert (run.cause, run.due_at, run.steps.count()) == ("time", NOON + timedelta(hours=1), 6)
    assert start_due_plans() == [] and OrmQ.objects.count() == 1
    plan.refresh_from_db()
    assert plan.next_at == NOON + timedelta(days=7, hours=1)


def test_times_that_were_missed_count_once(make_plan, clock):
    plan = make_plan(at=time(13), time_zone="UTC")
    clock.advance(days=10)
    (run,) = start_due_plans()
    assert work(run).is_done and start_due_plans() == []
    plan.refresh_from_db()
    assert plan.next_at == NOON + timedelta(days=10, hours=1)


def test_a_plan_waits_for_another_one_of_its_dataset(make_plan, clock):
    make_plan(at=time(13), time_zone="UTC"), make_plan(at=time(13), time_zone="UTC")
    clock.advance(hours=2)
    (first,) = start_due_plans()
    with pytest.raises(ValueError, match="A schedule of chain is running"):
        start_plan(Plan.objects.last(), PlanRun.Cause.PAGE)
    assert start_due_plans() == []
    work(first)
    (second,) = start_due_plans()
    assert second.plan != first.plan


def test_a_plan_starts_when_new_sales_came_and_not_for_its_own(make_plan, clock, inbox, sales):
    plan = make_plan(trigger="sales")
    assert start_due_plans() == []
    drop(inbox, sales)
    (run,) = [start_plan(plan, PlanRun.Cause.PAGE)]
    assert told(work(run))["save"][0] == "done"
    assert start_due_plans() == []  # its own sales
    small = sales.dataset.versions.first()
    small.pk, small.number, small.content_hash = None, 9, "x"
    small.save(force_insert=True)
    assert [one.cause for one in start_due_plans()] == ["sales"]


def test_a_plan_that_is_off_does_not_start(make_plan, clock, user):
    plan = make_plan(at=time(13), time_zone="UTC")
    switch_plan(plan, False, user)
    clock.advance(days=1)
    assert start_due_plans() == [] and plan.next_at is None
    switch_plan(plan, True, user)
    assert start_due_plans() == [] and plan.next_at == NOON + timedelta(days=1, hours=1)


def test_a_dropped_file_becomes_a_forecast(make_plan, inbox, sales, version):
    drop(inbox, sales)
    run = work(start_plan(make_plan(), PlanRun.Cause.PAGE))
    assert run.is_done, told(run)
    steps = told(run)
    assert [state for state, _text in steps.values()] == ["done"] * 5 + ["skipped"]
    day = (sales.last + timedelta(days=1)).isoformat()
    assert steps["save"][1] == f"Files saved: 1, with 6 new or changed rows. The sales reach to {day}."
    assert steps["forecast"][1] == f"6 series for 28 days from {sales.last + timedelta(days=2)} on."
    made = ForecastRun.objects.get()
    assert made.dataset_version.number == 2 and run.steps.get(kind="forecast").links == {
        "products-run": str(made.pk)
    }
    work(run)
    again = work(start_plan(run.plan, PlanRun.Cause.PAGE))
    assert told(again)["fetch"] == ("skipped", "No new file.")
    assert told(again)["forecast"][1].startswith("It was up to date")
    assert ForecastRun.objects.count() == 1 and sales.dataset.versions.count() == 2


def test_a_step_that_fails_does_not_stop_the_others(make_plan, inbox, sales, version):
    Source.objects.update(address="../elsewhere")
    run = work(start_plan(make_plan(makes_order=True), PlanRun.Cause.PAGE))
    steps = told(run)
    assert run.stage == "failed" and run.error_text.startswith("Fetch files: ../elsewhere is no folder")
    assert steps["forecast"][0] == "done"
    assert steps["order"] == ("failed", "There is no stock yet: import the latest stock count.")


def test_a_failed_run_needs_attention_until_one_went_well(make_plan, inbox, version, page, read):
    plan = make_plan()
    Source.objects.update(address="../elsewhere")
    run = work(start_plan(plan, PlanRun.Cause.PAGE))
    answer = page.get("/")
    assert f"The last run of the schedule {plan} failed." in read(answer)
    assert f"/automation/runs/{run.pk}/" in answer.content.decode()
    Source.objects.update(address="shop")
    work(start_plan(plan, PlanRun.Cause.PAGE))
    assert "The last run" not in read(page.get("/"))


def test_a_file_that_is_held_is_told_of_and_no_order_comes_without_a_forecast(make_plan, inbox, sales):
    (inbox / "bad.csv").write_text("nothing")
    (inbox / "bad.csv.done").touch()
    run = work(start_plan(make_plan(makes_order=True), PlanRun.Cause.PAGE))
    steps = told(run)
    assert steps["check"][1] == "Files that may be saved: 0; held for a curator: 1."
    assert steps["forecast"] == ("skipped", "There is no model of everything yet.")
    assert steps["order"] == ("skipped", "There is no new forecast to order by.")
    assert run.steps.get(kind="check").links == {"source": Source.objects.get().pk}


def test_a_training_is_waited_for_and_its_outcome_told(make_plan, version, publish, inbox, sales):
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=40))
    drop(inbox, sales)
    run = work(start_plan(make_plan(retrain="weeks", retrain_weeks=4, budget=77), PlanRun.Cause.PAGE))
    training = TrainingRun.objects.get()
    assert (run.stage, run.attempt, training.budget) == ("queued", 0, 77)
    assert run.current_step.sentence == "The training waits or runs."
    work(run), work(run)
    assert TrainingRun.objects.count() == 1 and run.steps.get(kind="forecast").state == "open"
    OrmQ.objects.all().delete()
    better = publish(wape=0.1)
    training.finished_at = timezone.now()
    TrainingRun.objects.filter(pk=training.pk).update(state="done", version=better)
    assert work(run).is_done
    steps = told(run)
    assert steps["retrain"] == ("done", f"{better.title} was trained.")
    assert steps["gate"][1].startswith(f"{better.title} is in use. Error")
    again = work(start_plan(run.plan, PlanRun.Cause.PAGE))
    assert told(again)["retrain"][1].endswith("no training is due.")


def test_the_end_of_a_training_wakes_the_run(make_plan, version, sales):
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=40))
    small = sales.dataset.versions.first()
    small.pk, small.number, small.content_hash = None, 9, "x"
    small.save(force_insert=True)
    run = work(start_plan(make_plan(retrain="weeks"), PlanRun.Cause.PAGE))
    OrmQ.objects.all().delete()
    TrainingRun.objects.get().cancel()
    assert [job.func() for job in OrmQ.objects.all()] == [PlanRun.JOB]
    assert told(work(run))["retrain"] == ("failed", "The training was stopped.")


def test_drift_brings_a_training(make_plan, version, sales):
    plan = make_plan(retrain="drift")
    first = preview_plan(plan)[3]
    assert first.kind == "retrain" and "no training is due" in first.sentence
    facts = {"first": sales.first, "last": sales.last, "weeks": 2, "change": 0.3, "kind": "bias"}
    AccuracyAlert.objects.create(dataset=sales.dataset, **facts)
    assert preview_plan(plan)[3].sentence == "It has learned the newest sales already."


def test_an_order_is_made_once_and_waited_for(make_plan, version, sales):
    small_files.stock(sales)
    run = work(start_plan(make_plan(makes_order=True), PlanRun.Cause.PAGE))
    order = OrderRun.objects.get()
    assert (run.stage, order.source) == ("queued", "plan")
    work(run)
    make_order_run(str(order.pk))
    assert work(run).is_done
    assert "6 lines are ordered" in told(run)["order"][1] and OrderRun.objects.count() == 1


def test_the_digest_is_mailed_to_those_who_want_it(make_plan, inbox, sales, version, settings):
    settings.EMAIL_HOST = "mail.example"
    drop(inbox, sales)
    (inbox / "bad.csv").write_text("nothing")
    (inbox / "bad.csv.done").touch()
    run = work(start_plan(make_plan(mail_to=["ana@example.com"]), PlanRun.Cause.PAGE))
    if run.is_going:  # what moved is worked out by another job
        from prediction.tasks import explain_forecast_run

        explain_forecast_run(str(ForecastRun.objects.get().pk))
        work(run)
    assert run.is_done, told(run)
    (letter,) = mail.outbox
    assert letter.bcc == ["ana@example.com"] and letter.subject == f"{run.plan.name} (chain): done"
    for part in ("Save them: Files saved: 1, with 6", "* bad.csv: ", f"/automation/runs/{run.pk}/"):
        assert part in letter.body


@pytest.mark.parametrize("kind", ["fetch", "check", "save", "forecast", "accuracy", "digest"])
def test_a_run_whose_worker_died_goes_on_with_the_step_that_was_not_done(
    make_plan, inbox, sales, version, monkeypatch, kind
):
    """The worker dies right after the step has done its work, before that is written down."""
    drop(inbox, sales)
    run = start_plan(make_plan(), PlanRun.Cause.PAGE)
    real = STEPS[kind]

    def die(step: PlanStep):
        real(step)
        raise KeyboardInterrupt

    monkeypatch.setitem(STEPS, kind, die)
    with pytest.raises(KeyboardInterrupt):
        work_on_plan_run(str(run.pk))
    monkeypatch.setitem(STEPS, kind, real)
    PlanRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    PlanRun.objects.expire_lost()
    assert work(run).is_done, told(run)
    assert sales.dataset.versions.count() == 2 and ForecastRun.objects.filter(stage="done").count() == 1
    assert list(run.steps.values_list("kind", flat=True)) == list(told(run))


def test_a_step_that_kills_its_worker_again_and_again_ends_the_run(make_plan, version, monkeypatch):
    run = start_plan(make_plan(), PlanRun.Cause.PAGE)

    def die(step: PlanStep):
        raise KeyboardInterrupt

    monkeypatch.setitem(STEPS, "forecast", die)
    for _each in range(3):
        with pytest.raises(KeyboardInterrupt):
            work_on_plan_run(str(run.pk))
        PlanRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        PlanRun.objects.expire_lost()
    run.refresh_from_db()
    assert (run.stage, run.error_text) == ("failed", PlanRun.LOST_TWICE)
    start_plan(run.plan, PlanRun.Cause.PAGE)  # it may run again


def test_a_dry_run_changes_nothing(make_plan, inbox, sales, version):
    drop(inbox, sales)
    plan = make_plan(retrain="weeks", makes_order=True)
    with connection.execute_wrapper(refuse_writes):
        told = {one.kind: one.sentence for one in preview_plan(plan)}
    assert told["fetch"] == "Files that would be taken (1): day.csv"
    assert told["order"].startswith("There is no forecast of everything yet")
    assert told["forecast"].startswith(f"{version.title} would forecast from")
    assert sorted(path.name for path in inbox.iterdir()) == ["day.csv", "day.csv.done"]


def refuse_writes(execute, sql, params, many, context):
    assert sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")), sql
    return execute(sql, params, many, context)


def test_the_form_refuses_what_no_clock_shows(sales, user):
    given = {
        "name": "a",
        "trigger": "time",
        "weekdays": ["1", "5"],
        "at": "04:30",
        "time_zone": "Europe/Berlin",
    }
    given |= {"retrain": "weeks", "retrain_weeks": "4", "budget": "300", "mail_to": "a@x.org, b@x.org"}
    dataset = Dataset.objects.get()
    form = PlanForm(dataset, given)
    assert form.is_valid(), form.errors
    plan = form.save_plan(user)
    assert (plan.weekdays, plan.mail_to, plan.seen_version) == ("1,5", ["a@x.org", "b@x.org"], sales)
    assert plan.next_at == plan.daily_time.find_next(timezone.now())
    for field, wrong in {"time_zone": "Mars/Base", "mail_to": "me", "weekdays": [], "at": "25:00"}.items():
        assert field in PlanForm(dataset, {**given, "name": "b", field: wrong}).errors


def test_the_command_runs_a_plan_and_tells_its_steps(make_plan, inbox, sales, version, manage):
    drop(inbox, sales)
    plan = make_plan()
    code, dry = manage("run_plan", plan.name, "--dry-run")
    assert code == 0 and [step["step"] for step in dry["steps"]][:3] == ["fetch", "check", "save"]
    code, done = manage("run_plan", plan.name)
    assert (code, done["stage"]) == (0, "done")
    assert [step["state"] for step in done["steps"]] == ["done"] * 5 + ["skipped"]
    Source.objects.update(address="../x")
    assert manage("run_plan", plan.name)[0] == 3
