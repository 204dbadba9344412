"""The mail digest of alerts: once a day, each alert once, only with a mail server."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone
from django_q.models import OrmQ

from prediction.accuracy.digest import JOB, ask_for_digest
from prediction.models import AccuracyAlert
from prediction.tasks import mail_alerts
from registry.datasets.models import Dataset


@pytest.fixture
def alert(data, settings):
    """Opens an alert of a dataset; mail is configured."""
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example", "https://forecast.example"

    def make(dataset=None, **facts) -> AccuracyAlert:
        days = {"first": date(2026, 11, 2), "last": date(2026, 11, 15), "weeks": 2, "change": 0.25}
        values = {"dataset": dataset or data.dataset, "kind": "bias", **days, **facts}
        return AccuracyAlert.objects.create(**values)

    return make


@pytest.fixture
def readers(person):
    for name, role in (("ana", "Curator"), ("eva", "Planner"), ("vera", "Viewer")):
        reader = person(name, role)
        reader.email = f"{name}@chain.example"
        reader.save()
    person("mute", "Curator")  # without an address


def asked() -> list[str]:
    OrmQ.objects.all().delete()
    ask_for_digest()
    return [row.func() for row in OrmQ.objects.all()]


def test_new_alerts_go_to_whoever_may_acknowledge_them_once(alert, readers, data):
    alert()
    alert(column="store_id", value="S01", kind="skill")
    assert asked() == [JOB]
    mail_alerts()
    mail_alerts()
    (sent,) = mail.outbox
    assert sent.bcc == ["ana@chain.example", "eva@chain.example"] and not sent.to
    assert sent.subject == "2 forecast alerts" and "25% more was sold" in sent.body
    assert f"https://forecast.example/d/{data.dataset_id}/accuracy/#alerts" in sent.body
    assert asked() == []


def test_the_next_digest_waits_a_day_and_has_only_what_is_new(alert, readers):
    alert()
    mail_alerts()
    alert(column="store_id", value="S02")
    mail_alerts()
    assert len(mail.outbox) == 1
    AccuracyAlert.objects.exclude(mailed_at=None).update(mailed_at=timezone.now() - timedelta(days=1))
    mail_alerts()
    assert mail.outbox[1].subject == "1 forecast alert" and "S02" in mail.outbox[1].body


def test_what_people_know_already_is_not_mailed(alert, readers):
    alert(state="acknowledged")
    alert(state="closed")
    alert(Dataset.objects.create(name="old", is_paused=True))
    mail_alerts()
    assert not mail.outbox and asked() == []


def test_without_a_mail_server_or_readers_nothing_is_sent_and_nothing_forgotten(alert, settings, person):
    alert()
    mail_alerts()  # nobody has an address
    settings.EMAIL_HOST = ""
    assert asked() == []
    mail_alerts()
    assert not mail.outbox and AccuracyAlert.objects.filter(mailed_at=None).count() == 1


def test_a_mail_server_that_refuses_leaves_the_alerts_for_the_next_time(alert, readers, monkeypatch):
    alert()
    with monkeypatch.context() as patch:
        patch.setattr("prediction.accuracy.digest.EmailMessage.send", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mail_alerts()
    mail_alerts()
    assert len(mail.outbox) == 1
