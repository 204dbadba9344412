"""Files of stock and terms: saved whole, or refused with one sentence."""

from __future__ import annotations

import io
import json
from datetime import date

import pyarrow.parquet as pq
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from registry.access.audit import AuditEntry
from registry.datasets.deletion import delete_dataset
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.sandbox.pipeline import run_import
from registry.datasets.stock import importer
from registry.datasets.stock.importer import import_stock, import_terms
from registry.datasets.stock.models import StockSnapshot, Terms, latest_stock
from registry.storage.artifacts import get_artifact_store

STOCK = """Store;Product;As of;Stock;On order;Due;Lot;Expiry
S01;P001;2025-10-01;12;10;2025-10-03;A;2025-12-31
S01;P002;2025-10-01;-3;;;;
S09;P001;2025-10-01;1,5;;;;
"""
TERMS = """product,category,supplier,lead time,order days,pack,cost,service level
P001,,Alfa,2,"1,4",6,1.25,0.98
,,Alfa,3,,,,
,painkiller,,,,12,,
,,,5,,,,
"""


@pytest.fixture
def write(tmp_path):
    def writer(text: str, name: str = "file.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return writer


@pytest.fixture
def in_process(monkeypatch):
    """Files are read without a process of their own, which takes most of a second."""
    monkeypatch.setattr(importer.launcher, "run_in_sandbox", run_import)


def test_stock_is_saved_as_it_stands(sales, write, user):
    found = import_stock(write(STOCK), sales.dataset, created_by=user)
    table = pq.read_table(io.BytesIO(found.read())).to_pylist()
    assert (found.as_of, found.rows, found.below_zero, found.unknown) == (date(2025, 10, 1), 3, 1, 1)
    assert table[0]["on_hand"] == 12 and table[0]["due_date"] == date(2025, 10, 3)
    assert table[0]["expiry"] == date(2025, 12, 31) and table[0]["batch"] == "A"
    assert table[2]["on_hand"] == 1.5 and table[1]["on_hand"] == -3
    assert latest_stock(sales.dataset) == found and AuditEntry.objects.latest("at").who == user.username


def test_the_newest_count_is_the_latest_stock(in_process, sales, write):
    newer = import_stock(write(STOCK.replace("2025-10-01", "2025-10-08")), sales.dataset)
    import_stock(write(STOCK), sales.dataset)
    assert latest_stock(sales.dataset) == newer


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("12", "many", "row 2, column Stock: “many” is not a number"),
        ("2025-12-31", "soon", "row 2, column Expiry: “soon” is not a date"),
        ("2025-10-03", "", "row 2: 10 units are on order, but the day they are due is missing"),
        ("P002;2025-10-01", "P002;2025-10-02", "stock of several days"),
        ("2025-10-01", "2099-10-01", "lies in the future"),
        (";P001;", ";;", "row 2: the column Product is empty"),
        (";10;", ";-10;", "row 2, column On order: -10 is too small"),
        ("Stock", "Colour", "has no column on_hand"),
    ],
)
def test_faulty_stock_is_refused_with_one_sentence_and_saves_nothing(
    in_process, sales, write, old, new, sentence
):
    with pytest.raises(SalesFileError, match=sentence) as refusal:
        import_stock(write(STOCK.replace(old, new)), sales.dataset)
    assert "%" not in str(refusal.value) and not StockSnapshot.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (",6,", ",0,", "row 2, column pack: 0 is too small: use at least 0.001"),
        ("0.98", "98", "row 2, column service level: 98 is too large: use at most 0.999"),
        ('"1,4"', "monday", "names no weekdays"),
        (",,Alfa,3,,,,", ",,Alfa,,,,,", "row 3: there are no terms in this row"),
        (",,Alfa,3", "P001,,,3", "row 3: the terms of P001 are in an earlier row"),
    ],
)
def test_faulty_terms_are_refused_and_the_earlier_ones_stay(in_process, sales, write, old, new, sentence):
    import_terms(write(TERMS), sales.dataset)
    with pytest.raises(SalesFileError, match=sentence):
        import_terms(write(TERMS.replace(old, new)), sales.dataset)
    assert Terms.objects.count() == 4


def test_terms_are_for_products_categories_suppliers_and_everything(sales, write):
    assert import_terms(write(TERMS), sales.dataset) == 4
    found = {(row.level, row.key): row for row in Terms.objects.all()}
    assert set(found) == {("product", "P001"), ("supplier", "Alfa"), ("category", "painkiller"), ("all", "")}
    row = found["product", "P001"]
    assert (row.supplier, row.lead_days, row.weekdays, row.pack, row.unit_cost) == ("Alfa", 2, "1,4", 6, 1.25)
    assert found["category", "painkiller"].lead_days is None


def test_terms_of_the_same_key_are_replaced_and_others_stay_unless_all_are(in_process, sales, write):
    import_terms(write(TERMS), sales.dataset)
    import_terms(write("product,pack\nP001,8\n"), sales.dataset)
    assert Terms.objects.get(key="P001").pack == 8 and Terms.objects.count() == 4
    call_command("import_terms", str(write("product,pack\nP002,8\n")), "--replace", stdout=io.StringIO())
    assert Terms.objects.get().key == "P002"


def test_a_stock_file_that_cannot_be_written_leaves_nothing(in_process, sales, write, monkeypatch):
    def fail(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importer.StockSnapshot, "write_file", fail)
    with pytest.raises(SalesFileError, match="No space left"):
        import_stock(write(STOCK), sales.dataset)
    assert not StockSnapshot.objects.exists()


def test_the_commands_report_what_they_saved(sales, write, capsys):
    call_command("import_stock", str(write(STOCK)), "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["as_of"], report["unknown"]) == (3, "2025-10-01", 1)
    with pytest.raises(CommandError, match="row 2, column Stock"):
        call_command("import_stock", str(write(STOCK.replace("12", "x"))))


def test_a_dataset_goes_with_its_stock_and_terms(in_process, sales, write):
    stock = import_stock(write(STOCK), sales.dataset)
    import_terms(write(TERMS), sales.dataset)
    delete_dataset(sales.dataset)
    assert not StockSnapshot.objects.exists() and not Terms.objects.exists()
    assert not get_artifact_store().exists(stock.path)


def test_the_page_saves_stock_or_says_what_is_wrong(page, sales):
    form = {"kind": "stock", "dataset": sales.dataset_id}
    given = SimpleUploadedFile("stock.csv", STOCK.replace("12", "x").encode())
    response = page.post("/data/upload/stock/", {**form, "file": given})
    assert "row 2, column Stock" in response.content.decode() and not StockSnapshot.objects.exists()
    given = SimpleUploadedFile("stock.csv", STOCK.encode())
    response = page.post("/data/upload/stock/", {**form, "file": given}, follow=True)
    source = response.content.decode()
    assert "1 row is below 0" in source and "no order is made for it" in source
    assert StockSnapshot.objects.get().file == "stock.csv"


def test_terms_of_the_admin_need_a_key_that_fits_their_level(sales):
    for facts in ({"level": "all", "key": "P1"}, {"level": "product", "key": ""}):
        with pytest.raises(ValidationError, match="Leave it empty"):
            Terms(dataset=sales.dataset, **facts).full_clean()
    with pytest.raises(ValidationError, match="below the shelf minimum"):
        Terms(dataset=sales.dataset, level="all", shelf_min=5, shelf_max=3).full_clean()
    with pytest.raises(ValidationError, match="Write days"):
        Terms(dataset=sales.dataset, level="all", shut_days="christmas 2026-13-45").full_clean()
