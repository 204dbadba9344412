"""Orders as rows: made once and whole, lines decided once, and nothing they need is deleted."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from forecastsite.cleanup.service import build_default_policy, build_plan
from prediction.order_runs import maker
from prediction.order_runs.change import explain_change
from prediction.order_runs.decisions import Change, approve_lines, change_lines, export_lines, repeat_export
from prediction.order_runs.exports import supplier_table
from prediction.order_runs.lines_file import load_lines
from prediction.order_runs.listing import load_states, load_table
from prediction.order_runs.maker import prepare_order, save_order
from prediction.order_runs.models import (
    OrderEdit,
    OrderExport,
    OrderLine,
    OrderRun,
    add_policy,
    current_policy,
)
from prediction.order_runs.wording import explain_quantity
from prediction.overrides.models import Override
from prediction.tasks import make_order_run
from registry.access.audit import AuditEntry
from registry.datasets.deletion import delete_dataset
from registry.datasets.stock.models import Terms
from registry.lib.leases import expire_lost_jobs


class Killed(BaseException):
    """As if the process had ended here."""


def all_places(order: OrderRun) -> list[int]:
    return list(range(order.lines))


def test_an_order_freezes_its_lines_with_the_terms_they_were_made_by(order):
    lines = load_lines(order)
    assert (order.stage, order.state, order.lines) == ("done", "ready", 6) and order.ordered > 0
    Terms.objects.all().delete()
    assert {terms.supplier for terms in lines.terms} == {"Alfa", "Beta"}
    assert order.units == pytest.approx(lines.quantity.sum(), abs=0.01)
    place = next(place for place, key in enumerate(lines.keys) if key[1] == "P001")
    found = lines.describe(place)
    assert found["needed"] + found["limits"] + found["rounding"] == pytest.approx(found["quantity"], abs=1e-3)
    assert found["quantity"] % 6 == 0 and "units are expected" in explain_quantity(
        lines, place, order.stock.as_of
    )


def test_the_command_makes_an_order_and_writes_every_line(forecast_run, count_stock, sales, tmp_path, capsys):
    out = tmp_path / "orders.csv"
    with pytest.raises(CommandError, match="no stock yet"):
        call_command("order_run", "--output", str(out))
    count_stock()
    call_command("order_run", "--output", str(out), "--json", "--policy", "fill", "--level", "0.9")
    report = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == report["lines"] == forecast_run.series and report["notes"] == {"no-terms": 6}
    assert sum(float(row["quantity"]) for row in rows) == pytest.approx(report["units"])
    made = OrderRun.objects.get(pk=report["order"])
    assert (made.source, made.policy.kind, made.policy.number) == ("command", "fill", 2)


def test_without_a_forecast_of_everything_there_is_no_order(version, sales):
    with pytest.raises(ValueError, match="no forecast of everything"):
        prepare_order(sales.dataset)


@pytest.mark.parametrize("moment", ["build_lines", "write_lines", "describe_lines"])
def test_an_order_killed_at_any_moment_is_made_again_whole(order, monkeypatch, moment):
    again = save_order(prepare_order(order.dataset))

    def kill(*given):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(maker, moment, kill)
        with pytest.raises(Killed):
            make_order_run(str(again.pk))
    OrderRun.objects.filter(stage="running").update(lease_until=timezone.now() - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    expire_lost_jobs()
    assert [row.func() for row in OrmQ.objects.all()] == [OrderRun.JOB]
    make_order_run(str(again.pk))
    again.refresh_from_db()
    assert again.is_done and again.read() == order.read() and again.previous == order


def test_a_click_that_comes_twice_makes_one_order(order):
    token = uuid4()
    first, second = (save_order(prepare_order(order.dataset, form_token=token)) for _click in range(2))
    assert first == second and OrderRun.objects.count() == 2


def test_stock_that_is_too_old_ends_the_order_with_one_sentence(order, count_stock, make_order, sales):
    sales.dataset.stock_snapshots.exclude(pk=order.stock_id).delete()
    old = count_stock(later=-9)
    OrderRun.objects.all().delete()
    sales.dataset.stock_snapshots.exclude(pk=old.pk).delete()
    failed = make_order()
    assert failed.stage == "failed" and "9 days before the last sales" in failed.error_text


def test_a_line_is_changed_with_a_reason_in_whole_packs(order, user):
    lines = load_lines(order)
    place = next(place for place, key in enumerate(lines.keys) if key[1] == "P001")
    with pytest.raises(ValueError, match="Enter a reason"):
        change_lines(order, [place], Change("set", 13), " ", user)
    assert change_lines(order, [place], Change("set", 13), "market day", user) == 1
    row = OrderLine.objects.get()
    assert (row.quantity, row.state) == (12, "draft")
    assert load_states(order, load_table(order)).quantity[place] == 12
    edit = OrderEdit.objects.get()
    assert (edit.before, edit.after, edit.by) == (lines.quantity[place], 12, user)
    assert change_lines(order, [place], Change("set", 12), "again", user) == 0  # it is so already


def test_lines_are_approved_once_and_then_no_longer_changed(order, user):
    assert approve_lines(order, all_places(order), user) == order.ordered
    assert approve_lines(order, all_places(order), user) == 0
    assert OrderLine.objects.filter(state="approved", approved_by=user).count() == order.ordered
    with pytest.raises(ValueError, match="None of these lines is a draft"):
        change_lines(order, [0], Change("add", 5), "more", user)
    assert AuditEntry.objects.filter(act="approved").count() == 1


def test_approved_lines_are_exported_once_and_again_only_with_a_reason(order, user):
    with pytest.raises(ValueError, match="No approved line"):
        export_lines(order, None, "csv", user)
    approve_lines(order, all_places(order), user)
    token = uuid4()
    beta = export_lines(order, "Beta", "csv", user, token)
    assert export_lines(order, "Beta", "csv", user, token) == beta  # the same click
    with pytest.raises(ValueError, match="No approved line"):
        export_lines(order, "Beta", "csv", user)
    rest = export_lines(order, None, "xlsx", user)
    assert rest.lines + beta.lines == order.ordered
    assert not OrderLine.objects.exclude(state="exported").exists()
    with pytest.raises(ValueError, match="Enter a reason"):
        repeat_export(beta, "", user)
    again = repeat_export(beta, "the mail was lost", user)
    assert supplier_table(again).rows == supplier_table(beta).rows and again.repeats == beta
    assert OrderExport.objects.count() == 3


def test_the_file_of_a_supplier_has_units_packs_and_the_day_of_arrival(order, user):
    approve_lines(order, all_places(order), user)
    rows = supplier_table(export_lines(order, "Beta", "csv", user)).rows
    assert {row[0] for row in rows} == {"Beta"} and {row[3] for row in rows} == {"P001"}
    assert all(row[5] == row[6] * 6 and row[8] == pytest.approx(row[5] * 2.5) for row in rows)
    assert rows[0][9] == order.stock.as_of + timedelta(days=2)


def test_a_newer_policy_leaves_earlier_orders_as_they_are(order, make_order, sales):
    policy = current_policy(sales.dataset)
    changed = add_policy(type(policy)(dataset=sales.dataset, level=0.6, classes={"AX": ["fill", 0.99]}))
    assert changed.number == 2 and order.policy == policy
    again = make_order()
    assert again.policy == changed and again.units < order.units


def test_the_causes_of_a_change_add_up(order, count_stock, make_order, sales):
    count_stock(units=3, later=1)
    Terms.objects.filter(level="product").update(pack=4)
    again = make_order()
    for place in all_places(again):
        found = explain_change(again, place)
        assert sum(found.parts.values()) == pytest.approx(found.now - found.before, abs=0.01)
        assert "stock" in found.parts and ("terms" in found.parts) == (
            load_lines(again).keys[place][1] == "P001"
        )
    assert explain_change(order, 0) is None
    assert "pack-changed" in again.notes


def test_what_an_order_was_made_from_stays(order, version, sales):
    for refuse in (order.forecast_run.deletion_notice, version.deletion_notice, order.forecast_run.remove):
        with pytest.raises(ValueError, match="Orders were made"):
            refuse()
    with pytest.raises(ValueError, match="Orders were made"):
        delete_dataset(sales.dataset)
    assert "Orders were made" in order.stock.removal_blocker()
    order.remove()
    assert version.deletion_notice() and not order.stock.removal_blocker()


def test_old_orders_go_unless_a_line_was_approved(order, make_order, user, settings):
    settings.KEEP_ORDERS, settings.GRACE_HOURS = 1, 0
    drafts, newest = make_order(), make_order()
    approve_lines(order, all_places(order), user)
    items = {item.id: item for item in build_plan(build_default_policy()).items if item.kind == "order_run"}
    assert items[str(order.pk)].protected_by == ("approved",) and items[str(drafts.pk)].action == "delete"
    assert items[str(newest.pk)].action == "keep"


def test_what_people_made_of_the_forecast_is_a_cause_of_its_own(order, version, make_run, make_order, sales):
    days = {"first": sales.last + timedelta(days=1), "last": sales.last + timedelta(days=20)}
    facts = {"kind": "percent", "amount": 100, "reason": "promotion"}
    Override.objects.create(dataset=sales.dataset, product="P001", **days, **facts)
    make_run(version)
    again = make_order()
    lines = load_lines(again)
    for place in all_places(again):
        found = explain_change(again, place)
        changed = {"override": found.now - found.before} if lines.keys[place][1] == "P001" else {}
        assert found.parts == pytest.approx(changed, abs=0.01)
