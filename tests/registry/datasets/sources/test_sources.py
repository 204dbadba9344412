"""Files that arrive in a folder: taken once and whole, saved or held, and nothing outside the folder."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.datasets.models import Dataset
from registry.datasets.sources import folder
from registry.datasets.sources.folder import FolderPlace
from registry.datasets.sources.forms import SourceForm
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.service import ask_for_sources, work_off, work_on_sources
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.uploads import EXPIRES_AFTER, Upload

HEAD = "date,store,product,qty\n"
GOOD = HEAD + "".join(f"2026-02-{day:02d},S001,P001,{day}\n" for day in range(1, 6))
BAD = GOOD + "2026-02-30,S001,P001,7\n"


@pytest.fixture
def inbox(settings, tmp_path) -> Path:
    settings.SOURCES_DIR = tmp_path / "sources"
    path = settings.SOURCES_DIR / "shop"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def source(sales, inbox, user) -> Source:
    facts = {"dataset": sales.dataset, "address": "shop", "pattern": "*.csv", "created_by": user}
    return Source.objects.create(name="tills", **facts)


def look(source: Source, *, settled: bool = True) -> list[SourceFile]:
    """Works on the sources; everything that was found before is as old as it has to be."""
    work_off(Dataset.objects.get(pk=source.dataset_id))
    if settled and source.files.filter(state="seen").update(seen_at=timezone.now() - timedelta(minutes=1)):
        work_off(Dataset.objects.get(pk=source.dataset_id))
    return list(source.files.order_by("pk"))


def names(path: Path) -> list[str]:
    return sorted(file.name.split(".")[0] + file.suffix for file in path.iterdir() if file.is_file())


def test_a_file_becomes_a_version_and_is_moved_to_done(source, inbox, sales):
    (inbox / "monday.csv").write_text(GOOD)
    (row,) = look(source)
    assert (row.state, row.rows, row.version.number) == ("saved", 5, 2)
    assert names(inbox) == [] and names(inbox / "done") == ["monday.csv"]
    assert not Upload.objects.exists() and row.version.created_by == source.created_by


def test_a_file_is_left_while_it_grows(source, inbox):
    (inbox / "monday.csv").write_text(GOOD[:60])
    (row,) = look(source, settled=False)
    assert row.state == "seen"
    (inbox / "monday.csv").write_text(GOOD)
    (row,) = look(source, settled=False)
    assert row.state == "seen" and row.size == len(GOOD)
    assert look(source)[0].rows == 5


def test_a_file_that_grows_while_it_is_read_is_not_taken(source, inbox, monkeypatch):
    path = inbox / "monday.csv"
    path.write_text(GOOD[:60])
    read = FolderPlace.read

    def slow(self, name):
        with path.open("a") as stream:
            stream.write(GOOD[60:])
        return read(self, name)

    monkeypatch.setattr(FolderPlace, "read", slow)
    assert look(source) == []
    monkeypatch.setattr(FolderPlace, "read", read)
    assert look(source)[0].rows == 5


def test_a_marker_says_that_a_file_is_complete(source, inbox):
    source.needs_marker = True
    source.save()
    (inbox / "monday.csv").write_text(GOOD)
    assert look(source)[0].state == "seen"
    (inbox / "monday.csv.done").touch()
    assert look(source, settled=False)[0].state == "saved"
    assert names(inbox) == []


def test_the_same_content_makes_one_version(source, inbox, sales):
    for name in ("monday.csv", "tuesday.csv"):
        (inbox / name).write_text(GOOD)
    first, second = look(source)
    assert (first.state, second.state, second.reason_text) == (
        "saved",
        "repeated",
        "monday.csv had the same content.",
    )
    (inbox / "monday.csv").write_text(GOOD)
    assert look(source)[-1].state == "repeated"
    assert sales.dataset.versions.count() == 2
    assert names(inbox) == [] and len(names(inbox / "done")) == 3


def test_a_file_that_would_lose_rows_waits_for_a_curator(source, inbox, sales, page, read):
    (inbox / "monday.csv").write_text(BAD)
    (row,) = look(source)
    assert (row.state, names(inbox / "held")) == ("held", ["monday.csv"])
    assert row.reason_text == "1 of 6 rows would be left out: look at the findings and decide."
    assert sales.dataset.versions.count() == 1
    address = reverse("upload-check", args=[row.upload_id])
    assert address in page.get(reverse("source", args=[source.pk])).content.decode()
    Upload.objects.update(created_at=timezone.now() - 3 * EXPIRES_AFTER)
    Upload.objects.delete_expired()
    codes = {f["code"]: f["action"] for f in row.upload.report["findings"]}
    assert page.post(address, {f"action-{code}": action for code, action in codes.items()}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.rows, row.version.number, row.upload) == ("saved", 5, 2, None)
    look(source)
    assert names(inbox / "held") == [] and names(inbox / "done") == ["monday.csv"]


def test_a_held_file_needs_attention_until_it_is_left_out(source, inbox, page, read, version):
    (inbox / "monday.csv").write_text("nothing")
    (row,) = look(source)
    assert "tills: 1 file waits for you." in read(page.get("/"))
    page.post(reverse("upload-discard", args=[row.upload_id]))
    assert "waits for you" not in read(page.get("/")) and not Upload.objects.exists()
    assert look(source)[0].state == "held" and names(inbox / "held") == ["monday.csv"]


def test_the_source_says_how_many_rows_may_be_lost(source, inbox):
    source.max_lost = 20
    source.save()
    (inbox / "monday.csv").write_text(BAD)
    assert look(source)[0].state == "saved"


@pytest.mark.parametrize("content", ["no table at all", "", "\x00\x01\x02", HEAD])
def test_a_bad_file_never_reaches_the_dataset(source, inbox, sales, content):
    (inbox / "monday.csv").write_text(content)
    (row,) = look(source)
    assert row.state == "held" and row.reason_text
    assert sales.dataset.versions.count() == 1


def test_a_short_file_does_not_replace_everything(source, inbox, sales):
    source.mode = Source.Mode.WHOLE
    source.save()
    (inbox / "monday.csv").write_text(GOOD)
    (row,) = look(source)
    assert row.state == "held" and f"would replace {sales.rows}" in row.reason_text


def test_columns_are_remembered_from_file_to_file(source, inbox):
    head = "when it was,shop,thing,count\n"
    mapping = {"date": "when it was", "store_id": "shop", "product_id": "thing", "sales": "count"}
    source.reading = {"mapping": mapping}
    source.save()
    for name, units in (("monday.csv", 1), ("tuesday.csv", 2)):
        (inbox / name).write_text(f"{head}2026-02-01,S001,P001,{units}\n")
        assert look(source)[-1].state == "saved"
        source.refresh_from_db()
        assert source.reading["mapping"] == mapping


def test_stock_and_terms_come_the_same_way(source, inbox, sales):
    facts = {"dataset": sales.dataset, "address": "shop"}
    Source.objects.create(name="stock", kind="stock", pattern="stock*", **facts)
    Source.objects.create(name="terms", kind="terms", pattern="terms*", **facts)
    source.pattern = "sales*"
    source.save()
    (inbox / "stock.csv").write_text("store,product,as of,on hand\nS001,P001,2026-02-05,7\n")
    (inbox / "terms.csv").write_text("product,pack\nP001,6\n")
    look(source, settled=False)
    SourceFile.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    look(source)
    states = {row.source.name: row.state for row in SourceFile.objects.all()}
    assert states == {"stock": "saved", "terms": "saved"}
    assert StockSnapshot.objects.get().rows == 1 and Terms.objects.get().pack == 6
    (inbox / "stock2.csv").write_text("store,product\nS001,P001\n")
    look(source, settled=False)
    SourceFile.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    look(source)
    assert SourceFile.objects.get(name="stock2.csv").state == "held"
    assert StockSnapshot.objects.count() == 1 and not Upload.objects.exists()


@pytest.mark.parametrize(
    "address", ["../shop", "/etc", "shop/../..", ".hidden", "", "a\\b", "a\nb", "./x/.."]
)
def test_a_folder_outside_the_one_for_sources_is_refused(address):
    with pytest.raises(ValueError, match="no folder below"):
        folder.check_address(address)


def test_links_are_never_followed(source, inbox, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    (inbox / "link.csv").symlink_to(secret)
    os.mkfifo(inbox / "pipe.csv")
    assert look(source) == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file.csv").write_text(GOOD)
    (inbox.parent / "linked").symlink_to(elsewhere)
    source.address = "linked"
    source.save()
    assert look(source) == []
    source.refresh_from_db()
    assert source.problem_text.startswith("linked cannot be read: ")
    (inbox / "done").symlink_to(elsewhere)
    (inbox / "monday.csv").write_text(GOOD)
    source.address = "shop"
    source.save()
    look(source)
    assert names(elsewhere) == ["file.csv"]


def test_one_job_looks_at_all_sources_and_is_asked_for_once(source, inbox):
    from django_q.models import OrmQ

    ask_for_sources()
    ask_for_sources()
    assert OrmQ.objects.count() == 1
    work_on_sources()
    source.refresh_from_db()
    assert source.looked_at >= source.asked_at
    ask_for_sources()
    assert OrmQ.objects.count() == 1  # it was looked at a moment ago


def test_the_form_checks_the_place(sales, inbox, user, settings):
    given = {
        "name": "a",
        "kind": "sales",
        "place": "folder",
        "address": "shop/",
        "pattern": "*",
        "mode": "add",
    }
    given |= {"max_lost": "0", "columns": "sales = qty"}
    form = SourceForm(sales.dataset, given)
    assert form.is_valid(), form.errors
    saved = form.save_source(user)
    assert (saved.address, saved.reading) == ("shop", {"mapping": {"sales": "qty"}})
    assert "Another source" in str(SourceForm(sales.dataset, {**given, "name": "b"}).errors["address"])
    bucket = {**given, "name": "b", "place": "s3", "address": "s3://shop/in"}
    assert "SOURCES_S3" in str(SourceForm(sales.dataset, bucket).errors["address"])
    settings.SOURCES_S3 = ["s3://shop/in"]
    assert SourceForm(sales.dataset, bucket).is_valid()
    for wrong in ("s3://shop/inbox", "s3://shop/in/../x", "s3://other/in", "shop/in"):
        assert "address" in SourceForm(sales.dataset, {**bucket, "address": wrong}).errors


def test_the_command_tells_what_became_of_the_files(source, inbox, manage):
    (inbox / "monday.csv").write_text(GOOD)
    (inbox / "monday.csv.done").touch()
    code, told = manage("fetch_sources")
    assert code == 0 and [(row["file"], row["state"]) for row in told["files"]] == [("monday.csv", "saved")]
    (inbox / "tuesday.csv").write_text(BAD)
    (inbox / "tuesday.csv.done").touch()
    code, told = manage("fetch_sources")
    assert code == 3 and told["files"][0]["state"] == "held"
