"""Who started a training hears of its end: on the page one is on, and by e-mail if there is a server."""

from __future__ import annotations

import pytest
from django.core import mail
from django_q.models import OrmQ

from tests.training.test_leases import begin
from training import leases, tasks
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def mine(ask, user) -> TrainingRun:
    return leases.claim_run(ask(created_by=user).pk, 1, "here")


def letters() -> list[str]:
    jobs = [row.func() for row in OrmQ.objects.filter(key="light")]
    return [job for job in jobs if job == "training.tasks.write_to_owner"]


def test_the_end_is_told_once_and_to_nobody_else(mine, page, admin_page):
    assert b"note" not in page.get("/runs/news/", headers=HTMX).content
    mine.mark_failed("The data is too short.")
    assert b"note" not in admin_page.get("/runs/news/", headers=HTMX).content
    told = page.get("/runs/news/", headers=HTMX).content.decode()
    assert "failed" in told and "The data is too short." in told
    assert b"note" not in page.get("/runs/news/", headers=HTMX).content


def test_the_live_page_of_the_run_itself_needs_no_news(mine, page):
    mine.finish_with_version(begin(mine))
    here = {**HTMX, "HX-Current-URL": f"http://testserver/runs/{mine.pk}/"}
    assert b"note" not in page.get("/runs/news/", headers=here).content
    assert b"note" not in page.get("/runs/news/", headers=HTMX).content


def test_every_page_asks_for_news(page):
    assert 'hx-get="/runs/news/"' in page.get("/").content.decode()


def test_without_a_mail_server_nobody_is_written_to(mine, user):
    user.email = "ana@shop.example"
    user.save()
    mine.finish_with_version(begin(mine))
    assert letters() == []


def test_with_a_mail_server_the_end_is_written_about(mine, user, settings):
    settings.EMAIL_HOST, settings.SITE_URL = "mail.shop.example", "https://shop.example"
    user.email = "ana@shop.example"
    user.save()
    mine.mark_failed("The data is too short.")
    assert letters() == ["training.tasks.write_to_owner"]
    tasks.write_to_owner(str(mine.pk))
    (letter,) = mail.outbox
    assert (letter.to, "Training failed" in letter.subject) == (["ana@shop.example"], True)
    assert f"https://shop.example/runs/{mine.pk}/" in letter.body and "too short" in letter.body


def test_who_stopped_a_training_knows_it(mine, user, settings):
    settings.EMAIL_HOST = "mail.shop.example"
    user.email = "ana@shop.example"
    user.save()
    mine.cancel()
    mine.mark_cancelled()
    assert letters() == []


def test_a_mail_about_a_run_that_is_gone_is_not_written(db):
    tasks.write_to_owner("00000000-0000-0000-0000-000000000000")
    assert mail.outbox == []


def test_whoever_has_seen_the_end_on_its_page_is_not_told_again(mine, page, anonymous):
    mine.finish_with_version(begin(mine))
    assert page.get(f"/runs/{mine.pk}/").status_code == 200
    assert b"note" not in page.get("/runs/news/", headers=HTMX).content


def test_somebody_elses_look_does_not_count_as_the_owners(mine, page, admin_page, read):
    mine.finish_with_version(begin(mine))
    admin_page.get(f"/runs/{mine.pk}/")
    told = read(page.get("/runs/news/", headers=HTMX))
    assert (
        f"Training finished: Seasonal naive · {mine.dataset_version.dataset} · all products, all stores."
        in told
    )
