"""The server's own forecast: when it is made, that it is made once, and what becomes of the one before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from prediction import current_maker
from prediction.current_forecast import ask_again, current_forecast, find_row, load_current
from prediction.models import CurrentForecast, Forecast
from prediction.tasks import make_current_forecast
from registry.datasets.importer import import_file
from registry.datasets.models import Dataset
from registry.lib.locks import exclusive_lock
from registry.storage.artifacts import get_artifact_store

JOB = "prediction.tasks.make_current_forecast"


def jobs() -> int:
    return sum(row.func() == JOB for row in OrmQ.objects.filter(key="light"))


def work_off() -> None:
    """Does what the queue would do."""
    for row in OrmQ.objects.filter(key="light"):
        if row.func() == JOB:
            row.delete()
            make_current_forecast(*row.args())


@pytest.fixture
def dataset(sales):
    return Dataset.objects.get(pk=sales.dataset_id)


@pytest.fixture
def made(version, dataset) -> Forecast:
    work_off()
    return current_forecast(dataset)


def test_a_version_that_comes_into_use_is_forecast_with(version, dataset):
    assert jobs() == 1
    work_off()
    found = current_forecast(dataset)
    assert (found.version, found.source, found.created_by) == (version, Forecast.Source.SERVER, None)
    assert (found.store, found.product, found.horizon) == ("", "", 28)
    assert found.origin == dataset.current_version.last and not jobs()


def test_who_asks_for_the_same_sees_it_without_another_computation(made, dataset, page, monkeypatch):
    asked = []
    monkeypatch.setattr("prediction.models.run_forecast", lambda *question: asked.append(question))
    shown = page.get(f"/d/{dataset.pk}/forecast/?horizon=28").context["forecast"]
    assert (shown.total, shown.low, shown.high) == (made.total, made.low, made.high)
    assert shown.pk != made.pk and not shown.is_saved and not asked
    with pytest.raises(AttributeError):  # nothing comes back from what was patched
        page.get(f"/d/{dataset.pk}/forecast/?horizon=27")
    assert len(asked) == 1


def test_nobody_is_offered_to_delete_what_the_server_made(made, dataset, admin_page, read):
    page = admin_page
    history = read(page.get(f"/d/{dataset.pk}/forecasts/"))
    assert "the server" in history and "Delete" not in history
    assert "Delete" not in read(page.get(f"/forecasts/{made.pk}/", follow=True))
    text = read(page.post(f"/forecasts/{made.pk}/delete/", follow=True))
    assert "The server replaces this forecast by itself" in text
    made.refresh_from_db()
    assert made.state == made.State.READY


def test_a_version_that_is_not_put_in_use_changes_nothing(made, publish):
    publish(wape=0.5)
    assert not jobs()


def test_a_version_of_one_product_is_no_matter_of_everything(sales, publish):
    from registry.datasets.scope import Scope

    publish(Scope("product", "P001"))
    assert not jobs() and current_forecast(sales.dataset) is None


def test_it_is_made_once_however_often_it_is_asked_for(made, dataset):
    make_current_forecast(dataset.pk)
    make_current_forecast(dataset.pk)
    assert Forecast.objects.get() == made


def test_promotion_and_roll_back_make_it_anew(made, publish, dataset, user):
    other = publish(wape=0.5)
    other.promote("it is better on Mondays", user)
    work_off()
    assert current_forecast(dataset).version == other
    other.model.roll_back(other, user)
    work_off()
    assert current_forecast(dataset).version == made.version


def test_newer_sales_make_it_anew(made, dataset, sample_file):
    newer = import_file(sample_file(2, 3, 310), "chain")
    assert jobs() == 1
    work_off()
    assert current_forecast(Dataset.objects.get()).dataset_version == newer


def test_a_page_shows_the_old_one_until_the_new_one_is_there(made, publish, dataset):
    publish(wape=0.1)
    state = load_current(dataset)
    assert state.forecast == made and state.is_due
    work_off()
    assert not load_current(dataset).is_due


def test_pages_ask_for_a_missing_one_once_a_minute(version, dataset):
    OrmQ.objects.all().delete()  # the job was lost with its worker
    for _page in range(3):
        assert load_current(dataset).is_due
    assert not jobs()  # it was asked for a moment ago
    CurrentForecast.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    for _page in range(3):
        load_current(dataset)
    assert jobs() == 1


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_damaged_one_is_made_again(made, dataset, harm):
    get_artifact_store().delete(made.path)
    if harm == "changed":
        with get_artifact_store().open(made.path, "wb") as file:
            file.write(b"{}")
    CurrentForecast.objects.update(asked_at=None)
    state = load_current(dataset)
    assert state.forecast is None and state.is_due and jobs() == 1
    work_off()
    again = load_current(dataset)
    assert again.forecast not in (None, made) and again.items["products"]
    assert not Forecast.objects.filter(pk=made.pk).exists()


def test_what_a_killed_attempt_left_is_removed_by_the_next(version, dataset):
    left = Forecast(
        version=version,
        dataset_version=dataset.current_version,
        horizon=28,
        origin=dataset.current_version.last,
        source=Forecast.Source.SERVER,
    )
    Forecast.objects.create_pending(left).write(b"half")
    work_off()
    assert not Forecast.objects.filter(pk=left.pk).exists()
    assert not get_artifact_store().exists(left.path) and current_forecast(dataset)


class Killed(BaseException):
    """No handler of the product runs after a kill -9."""


@pytest.mark.parametrize(
    "moment", ["Forecast.write", "Forecast.mark_ready", "CurrentForecast.objects.update_or_create"]
)
def test_a_kill_at_any_moment_costs_one_attempt(version, dataset, monkeypatch, moment):
    def kill(*given, **named):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"prediction.models.{moment}", kill)
        patch.setattr("prediction.models.Forecast.remove", lambda row: None)
        with pytest.raises(Killed):
            work_off()
    assert load_current(dataset).forecast is None
    CurrentForecast.objects.update(asked_at=None)
    assert load_current(dataset).is_due
    work_off()
    assert load_current(dataset).items and not load_current(dataset).is_due
    assert not Forecast.objects.exclude(state="ready").exists()


def test_only_one_process_makes_it(version, dataset):
    with exclusive_lock(f"current-forecast-{dataset.pk}"):
        work_off()
    assert not Forecast.objects.exists()


def test_a_change_in_the_meantime_is_followed(version, dataset, publish, monkeypatch):
    make_forecast = current_maker.make_forecast

    def slowly(*target):
        found = make_forecast(*target)
        publish(wape=0.1)
        OrmQ.objects.all().delete()  # another host took the job and found the lock taken
        monkeypatch.setattr(current_maker, "make_forecast", make_forecast)
        return found

    monkeypatch.setattr(current_maker, "make_forecast", slowly)
    work_off()
    assert jobs() == 1
    work_off()
    assert current_forecast(dataset).version.wape == 0.1


def test_a_failure_is_told_and_not_repeated_at_once(version, dataset, monkeypatch, page, read):
    def fail(*target):
        raise ValueError("There is no room.")

    monkeypatch.setattr(current_maker, "make_forecast", fail)
    work_off()
    CurrentForecast.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    assert "There is no room." in read(page.get("/products/")) and not jobs()
    CurrentForecast.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    ask_again(dataset, find_row(dataset))
    assert jobs() == 1


def test_a_clean_up_keeps_it_while_it_is_current(made, settings):
    settings.KEEP_DAYS, settings.GRACE_HOURS = 1, 0
    Forecast.objects.update(created_at=timezone.now() - timedelta(days=90))
    call_command("cleanup_artifacts", "--apply", verbosity=0)
    assert Forecast.objects.get() == made
    assert "current forecast" in made.removal_blocker()


def test_replaced_ones_go_after_a_day_but_those_that_can_be_checked_stay(made, dataset, sample_file):
    import_file(sample_file(2, 3, 310), "chain")
    work_off()
    assert Forecast.objects.count() == 2  # ten days later: what it expected can be compared with the sales
    Forecast.objects.update(created_at=timezone.now() - timedelta(days=2))
    import_file(sample_file(2, 3, 350), "chain")
    work_off()
    assert not Forecast.objects.filter(pk=made.pk).exists() and Forecast.objects.count() == 1
