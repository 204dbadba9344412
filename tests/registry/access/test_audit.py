"""The audit: what is in it, that it is only ever added to, and that it outlives what it tells of."""

from __future__ import annotations

import pytest
from django.db import transaction

from registry.access.audit import AuditAction, AuditEntry, AuditIsAppendOnly, record_action
from training import queue
from training.models import TrainingRun


def acts(**asked) -> list[tuple[str, str]]:
    return list(AuditEntry.objects.filter(**asked).values_list("act", "who"))


def test_a_line_is_never_changed_or_deleted(db):
    record_action(AuditAction.PINNED, "something")
    line = AuditEntry.objects.get()
    line.name = "something else"
    for change in (
        line.save,
        line.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(name="x"),
        lambda: AuditEntry.objects.bulk_update([line], ["name"]),
    ):
        with pytest.raises(AuditIsAppendOnly):
            change()
    assert AuditEntry.objects.get().name == "something"


def test_nothing_that_is_deleted_takes_a_line_along(version, user):
    key = str(version.pk)  # a deleted row forgets it
    version.promote("It is better.", user)
    assert not [field for field in AuditEntry._meta.get_fields() if field.is_relation]
    version.delete_with_files(by=user)
    user.delete()
    assert acts(key=key) == [("deleted", "ana"), ("promoted", "ana")]
    assert AuditEntry.objects.filter(act="promoted").get().why == "It is better."


def test_an_act_that_is_rolled_back_leaves_no_line(publish, user):
    publish(wape=0.2)
    worse = publish(wape=0.4)
    with transaction.atomic():
        worse.promote("Try it.", user)
        transaction.set_rollback(True)
    assert not acts(act="promoted")


def test_sales_trainings_and_their_ends_are_told(sales, user):
    assert acts() == [("imported", "")] and AuditEntry.objects.get().why == "chain.parquet"
    run = queue.enqueue_run(sales, TrainingRun().scope, "seasonal_naive", created_by=user)
    run.finish_early(user)
    run.cancel(user)
    assert acts(key=str(run.pk)) == [("stopped", "ana"), ("hurried", "ana"), ("trained", "ana")]


@pytest.mark.parametrize(
    "address", ["/models/?export=csv", "/data/?export=xlsx", "/forecasts/{}/csv/", "/data/{data}/sales.csv"]
)
def test_every_download_is_told_whichever_page_it_comes_from(page, forecast, sales, address):
    where = address.format(forecast.pk, data=sales.dataset_id)
    response = page.get(where)
    assert response.status_code == 200
    line = AuditEntry.objects.filter(act="exported").get()
    assert (line.who, line.why) == ("ana", where) and line.name in response["Content-Disposition"]
    page.head(where)
    assert AuditEntry.objects.filter(act="exported").count() == 1


def test_somebody_locked_out_is_told_once(anonymous, user):
    for _attempt in range(9):
        anonymous.post("/login/", {"username": "ana", "password": "wrong"})
    assert [line.name for line in AuditEntry.objects.filter(act="locked_out")] == ["ana"]
