"""Pages of orders: asked for, filtered, changed, approved, exported, explained."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from prediction.order_runs.decisions import approve_lines
from prediction.order_runs.lines_file import load_lines
from prediction.order_runs.models import OrderEdit, OrderLine, OrderRun
from prediction.tasks import make_order_run


@pytest.fixture
def address(order) -> str:
    return f"/d/{order.dataset_id}/orders/{order.pk}/"


def test_a_person_asks_for_an_order_and_sees_it_when_it_is_made(page, order, read):
    orders = f"/d/{order.dataset_id}/orders/"
    assert "being made" in read(page.post(f"{orders}new/", follow=True))
    made = OrderRun.objects.exclude(pk=order.pk).get()
    make_order_run(str(made.pk))
    text = read(page.get(f"{orders}{made.pk}/"))
    assert "By supplier" in text and "Beta" in text and "Policy" in read(page.get(orders))


def test_the_list_says_what_is_missing_for_an_order(page, sales, read):
    assert "needs a forecast of everything" in read(page.get(f"/d/{sales.dataset_id}/orders/"))


@pytest.mark.parametrize(
    ("query", "count"),
    [("show=all", 6), ("show=all&supplier==Beta", 2), ("show=all&q=p001", 2), ("show=changed", 0),
     ("show=all&class=nothing&state=x&sort=-cost&page=99", 6), ("show=noted", 0)],
)  # fmt: skip
def test_lines_are_found_by_the_address(page, address, query, count):
    text = page.get(f"{address}?{query}&export=csv").content.decode("utf-8-sig")
    assert len(text.splitlines()) == count + 1
    assert page.get(f"{address}?{query}").status_code == 200
    assert page.get(f"{address}print/?{query}").content.decode().count('<th scope="row">') == count


def test_a_filter_by_store_and_class_finds_those_lines(page, order, address):
    store, name = order.forecast_run.dataset_version.stores[0], load_lines(order).classes[0]
    rows = page.get(f"{address}?show=all&store={store}&class={name}&export=csv").content.decode().splitlines()
    assert 2 <= len(rows) <= 4 and all(store in row for row in rows[1:])


def test_ticked_lines_are_changed_with_a_reason_and_shown_so(page, address, order, read):
    form = {"which": "ticked", "line": ["0", "1"], "how": "set", "value": "18", "reason": "fair in town"}
    told = read(page.post(f"{address}change/?show=all", form, follow=True))
    assert "Changed 2 lines" in told and OrderEdit.objects.count() == 2
    assert "fair in town" in read(page.get(f"{address}lines/0/"))
    assert len(page.get(f"{address}?show=changed&export=csv").content.decode().splitlines()) == 3
    for wrong, sentence in (
        ({"reason": ""}, "Enter a reason"),
        ({"value": ""}, "Enter a number"),
        ({"line": []}, "Tick lines first"),
        ({"value": "1e12"}, "between 0 and 10"),
    ):
        assert sentence in read(page.post(f"{address}change/?show=all", {**form, **wrong}, follow=True))


def test_lines_are_approved_and_their_excel_is_sent_once(page, address, order, read):
    assert "Approved" in read(page.post(f"{address}approve/?supplier==Beta", {"which": "all"}, follow=True))
    form = {"supplier": "=Beta", "format": "xlsx"}
    sent = page.post(f"{address}export/", form)
    book = load_workbook(io.BytesIO(sent.content))
    assert [cell.value for cell in book.active["D"]][1:] == ["P001"] * OrderLine.objects.count()
    assert "No approved line" in read(page.post(f"{address}export/", form, follow=True))
    export = order.exports.get()
    assert "Enter a reason" in read(page.post(f"{address}exports/{export.pk}/", {"reason": ""}))
    again = page.post(f"{address}exports/{export.pk}/", {"reason": "lost"})
    assert load_workbook(io.BytesIO(again.content)).active.max_row == book.active.max_row


def test_a_line_tells_why_and_where_it_comes_from(page, order, make_order, count_stock, read):
    count_stock(units=5, later=1)
    again = make_order()
    address = f"/d/{order.dataset_id}/orders/{again.pk}/lines/0/"
    text = read(page.get(address))
    for part in ("until the next order arrives", "Rounding", "Terms at that time", order.stock.dataset.name,
                 again.terms_sha256, order.forecast_run.dataset_version.content_hash):  # fmt: skip
        assert part in text
    why = read(page.get(f"{address}why/"))
    assert "Stock and what is on order" in why and "instead of" in why
    assert page.get(f"/d/{order.dataset_id}/orders/{again.pk}/lines/6/").status_code == 404


def test_a_curator_sets_the_policy_of_a_class_with_a_reason(page, order, read):
    address = f"/d/{order.dataset_id}/orders/policy/"
    form = {"kind": "cycle", "level": "0.9", "kind_AX": "fill", "level_AX": "0.99", "level_CZ": "0.8"}
    assert "Enter a reason" in read(page.post(address, form))
    assert "Enter a level" in read(page.post(address, {**form, "reason": "x", "level_AX": ""}))
    assert "follows this policy" in read(page.post(address, {**form, "reason": "summer"}, follow=True))
    newest = order.dataset.order_policies.first()
    assert newest.classes == {"AX": ["fill", 0.99], "CZ": ["cycle", 0.8]} and newest.number == 2


def test_an_order_is_deleted_after_a_question_that_names_its_approvals(page, address, order, user, read):
    approve_lines(order, [0, 1, 2], user)
    assert "Some of its lines were approved" in read(page.get(f"{address}delete/"))
    page.post(f"{address}delete/")
    assert not OrderRun.objects.exists()
