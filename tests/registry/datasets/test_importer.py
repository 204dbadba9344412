"""Importing sales: what is kept, which version it becomes, what a faulty file says."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from registry.datasets.importer import import_file, import_folder
from registry.datasets.importing.checks.row_checks import check_table
from registry.datasets.importing.column_mapping import detect_columns
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.readers import read_file
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.reader import read_frame, read_panel
from registry.datasets.scope import Scope
from registry.datasets.store.models import SalesPart
from registry.storage.artifacts import get_artifact_store

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]
HEADER = "date,store_id,product_id,sales\n"


def refused(path: Path, roles: dict[str, str] | None = None, reading: ImportOptions | None = None) -> str:
    """The sentence; also checks that nothing was saved."""
    with pytest.raises(SalesFileError) as caught:
        import_file(path, "till", roles, reading)
    assert not Dataset.objects.exists()
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith((".", "it)"))
    return sentence


def test_a_clean_file_becomes_a_ready_version(write: Write, small: pd.DataFrame) -> None:
    version = import_file(write(small), "till")
    assert version.state == version.State.READY
    assert (version.number, version.rows, version.series) == (1, 240, 6)
    assert (version.stores, version.products) == (["S1", "S2"], ["A", "B", "C"])
    assert (str(version.first), str(version.last)) == ("2026-01-01", "2026-02-09")
    assert version.roles == {"brand": "static", "promo": "known"}
    assert version.findings == []
    assert get_artifact_store().exists(version.path)


def test_what_comes_out_is_what_went_in(write: Write, small: pd.DataFrame) -> None:
    version = import_file(write(small.sample(frac=1, random_state=1)), "till")
    frame = read_frame(version)
    expected = small.sort_values(["store_id", "product_id", "date"], ignore_index=True)
    for column in ("store_id", "product_id", "brand"):
        assert frame[column].astype(str).tolist() == expected[column].tolist()
    assert frame["date"].tolist() == expected["date"].tolist()
    assert frame["sales"].tolist() == expected["sales"].tolist()
    assert frame["promo"].tolist() == expected["promo"].tolist()


def test_csv_parquet_and_any_row_order_have_one_hash(write: Write, small: pd.DataFrame) -> None:
    small["price"] = (small["sales"] % 5 + 5.97).astype("float32")
    shuffled = small.sample(frac=1, random_state=3)
    hashes = {
        import_file(write(small), "a").content_hash,
        import_file(write(shuffled, "b.parquet"), "b").content_hash,
        import_file(write(shuffled.assign(promo=small["promo"].astype(bool)), "c.csv"), "c").content_hash,
        import_file(
            write(small.astype({"store_id": "category", "sales": "int16"}), "d.parquet"), "d"
        ).content_hash,
    }
    assert len(hashes) == 1


def test_one_changed_cell_is_another_hash(write: Write, small: pd.DataFrame) -> None:
    first = import_file(write(small), "a").content_hash
    small.loc[7, "sales"] = 8
    assert import_file(write(small), "b").content_hash != first


def test_the_same_content_again_is_the_same_version(write: Write, small: pd.DataFrame) -> None:
    first = import_file(write(small), "till")
    again = import_file(write(small, "again.parquet"), "till")
    assert again.pk == first.pk
    assert DatasetVersion.objects.count() == 1


def test_new_content_is_the_next_version_and_becomes_current(write: Write, small: pd.DataFrame) -> None:
    import_file(write(small[:-6]), "till")
    second = import_file(write(small), "till")
    assert second.number == 2
    assert Dataset.objects.get().current_version == second
    same = import_file(write(small[:-6]), "till")
    assert same == second
    back = import_file(write(small[:-6]), "till", None, ImportOptions(replace=True))
    assert (back.number, back.rows) == (3, 234)


def test_other_roles_for_the_same_content_are_a_new_version(write: Write, small: pd.DataFrame) -> None:
    import_file(write(small), "till")
    assert import_file(write(small), "till", {"promo": "past"}).roles["promo"] == "past"
    assert DatasetVersion.objects.count() == 2


def test_codes_keep_their_zeros_and_na_is_a_product(write: Write) -> None:
    text = HEADER + "2026-01-01,007,NA,1\n2026-01-01,007,null,2\n2026-01-01,7,00123,3\n"
    version = import_file(write(text), "till")
    assert (version.stores, version.products) == (["007", "7"], ["00123", "NA", "null"])


def test_whole_number_codes_of_parquet_are_texts(write: Write) -> None:
    frame = pd.DataFrame(
        {"date": ["2026-01-01"] * 2, "store_id": [1.0, 2.0], "product_id": [10, 20], "sales": 1}
    )
    version = import_file(write(frame, "x.parquet"), "till")
    assert (version.stores, version.products) == (["1", "2"], ["10", "20"])


@pytest.mark.parametrize(
    "kind", ["datetime64[ns]", "datetime64[ms, Europe/Berlin]", "date", "text", "stamp text"]
)
def test_dates_may_be_of_any_type(write: Write, small: pd.DataFrame, kind: str) -> None:
    if kind == "date":
        small["date"] = small["date"].dt.date
    elif "text" in kind:
        small["date"] = small["date"].dt.strftime("%Y-%m-%d 00:00:00" if "stamp" in kind else "%Y-%m-%d")
    elif "Berlin" in kind:
        small["date"] = small["date"].dt.tz_localize("Europe/Berlin")
    else:
        small["date"] = small["date"].astype(kind)
    version = import_file(write(small, "x.parquet"), "till")
    assert (str(version.first), str(version.last), version.rows) == ("2026-01-01", "2026-02-09", 240)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_a_byte_order_mark_are_read(write: Write, separator: str) -> None:
    text = "\ufeff" + (HEADER + '2026-01-01,S1,"Tablets A",4\n').replace(",", separator)
    assert import_file(write(text), "till").products == ["Tablets A"]


def test_chinese_codes_and_quoted_line_breaks_survive(write: Write) -> None:
    text = 'date,store_id,product_id,sales,note\n2026-01-01,一号店,感冒灵,4,"two\nlines, one cell"\n'
    version = import_file(write(text), "till")
    assert (version.stores, version.products) == (["一号店"], ["感冒灵"])
    assert read_frame(version)["note"].tolist() == ["two\nlines, one cell"]


def test_empty_cells_stay_missing(write: Write) -> None:
    text = (
        "date,store_id,product_id,sales,price\n2026-01-01,S,A,4,\n2026-01-02,S,A,,2.5\n2026-01-03,S,A,1,2.5\n"
    )
    frame = read_frame(import_file(write(text), "till"))
    assert frame["sales"].isna().tolist() == [False, True, False]
    assert frame["price"].isna().tolist() == [True, False, False]


def test_rows_after_the_last_sale_are_the_plan(write: Write) -> None:
    rows = "".join(f"2026-01-{day:02d},S,A,{day if day < 9 else ''},{day % 2}\n" for day in range(1, 12))
    version = import_file(write("date,store_id,product_id,sales,flyer\n" + rows), "till")
    assert str(version.last) == "2026-01-08"
    assert version.roles == {"flyer": "known"}


def test_columns_are_renamed_as_asked(write: Write, small: pd.DataFrame) -> None:
    odd = small.rename(columns={"sales": "qty", "store_id": "shop"})
    version = import_file(
        write(odd), "till", None, ImportOptions(mapping={"sales": "qty", "store_id": "shop"})
    )
    assert version.content_hash == import_file(write(small), "other").content_hash


def test_a_mapped_column_takes_the_place_of_one_of_that_name(write: Write, small: pd.DataFrame) -> None:
    odd = small.assign(sales=0.5, units=small["sales"])
    version = import_file(write(odd), "till", None, ImportOptions(mapping={"sales": "units"}))
    assert read_frame(version)["sales"].sum() == small["sales"].sum()
    assert "column-replaced" in [finding["code"] for finding in version.findings]


def test_negative_sales_are_kept_and_reported(write: Write) -> None:
    version = import_file(write(HEADER + "2026-01-01,S,A,-3\n2026-01-02,S,A,5\n"), "till")
    example = {"row": 2, "column": "sales", "value": "-3"}
    assert {"code": "negative", "count": 1, "examples": [example], "action": "keep"} in version.findings


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2026-01-01,S,A,1\n2026-02-30,S,A,1\n", ["row 3", "date", "2026-02-30", "not a date"]),
        ("01/02/2026,S,A,1\n", ["row 2", "date", "01/02/2026"]),
        ("2026-01-01,S,A,1\n\n2026-01-02,S,A,many\n", ["row 4", "sales", "many", "not a number"]),
        ("2026-01-01,S,A,1e999\n", ["row 2", "sales", "1e999", "too large"]),
        ("2026-01-01,S,A,many\n", ["row 2", "sales", "many"]),
        ("2026-01-01,S,A,1_000\n", ["row 2", "sales", "1_000"]),
        ("2026-01-01,,A,1\n", ["row 2", "store_id", "empty"]),
        ("2026-01-01,S,A\x01B,1\n", ["row 2", "product_id", "not a valid code"]),
        (
            "2026-01-01,S,A,1\n2026-01-01,S,B,1\n2026-01-01,S,A,2\n",
            ["row 4", "2026-01-01 · S · A", "twice"],
        ),
        ("2026-01-01,S,A,1,7\n", ["row 2", "5 cells"]),
        ("2026-01-01,S,A\n", ["row 2", "3 cells"]),
        ("x,S,A,1\ny,S,A,1\n", ["row 2", "1 more like it"]),
    ],
)
def test_a_faulty_row_is_named_with_row_column_and_value(write: Write, rows: str, words: list[str]) -> None:
    sentence = refused(write(HEADER + rows))
    assert sentence.startswith("sales.csv")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("date,store_id,product_id\n2026-01-01,S,A\n", "x.csv", ["no column sales", "--map sales="]),
        ("", "x.csv", ["x.csv is empty"]),
        (HEADER, "x.csv", ["header but no rows"]),
        (HEADER + "\n\n", "x.csv", ["header but no rows"]),
        ("\n\n", "x.csv", ["no header"]),
        (b"PAR1 not really", "x.parquet", ["x.parquet cannot be read"]),
        (b"", "x.parquet", ["x.parquet is empty"]),
        (b"PK\x03\x04", "x.rar", ["unknown type", ".csv", ".parquet"]),
        (b"PK\x03\x04", "x.zip", ["x.zip is damaged"]),
        (b"PAR1\0\0\0", "x.csv", ["not a text file"]),
        (HEADER.encode() + b"2026-01-01,S,\x81\x8d,1\n", "x.csv", ["UTF-8"]),
        ("date,store_id,store_id,product_id,sales\n1,1,1,1,1\n", "x.csv", ["two columns named store_id"]),
        (",".join(f"c{i}" for i in range(5000)) + "\n", "x.csv", ["5000 columns"]),
        (HEADER + "2026-01-01,S,A,\n", "x.csv", ["sales", "every cell is empty"]),
    ],
)
def test_a_faulty_file_gets_one_sentence(
    write: Write, content: str | bytes, name: str, words: list[str]
) -> None:
    sentence = refused(write(content, name))
    for word in words:
        assert word in sentence


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "nowhere.csv does not exist" in refused(tmp_path / "nowhere.csv")
    assert "does not exist" in refused(tmp_path)


def test_lists_inside_cells_are_refused(write: Write, small: pd.DataFrame) -> None:
    small["tags"] = [["a"]] * len(small)
    assert "tags holds list" in refused(write(small, "x.parquet"))


def test_a_truncated_parquet_file_is_refused(write: Write, small: pd.DataFrame, tmp_path: Path) -> None:
    whole = write(small, "x.parquet").read_bytes()
    assert "cannot be read" in refused(write(whole[: len(whole) // 2], "half.parquet"))


def test_a_role_for_an_absent_column_is_refused(write: Write, small: pd.DataFrame) -> None:
    assert "no column prommo to be known: it has brand, promo" in refused(write(small), {"prommo": "known"})
    assert "main columns" in refused(write(small), {"sales": "past"})


def test_an_unknown_source_column_is_refused(write: Write, small: pd.DataFrame) -> None:
    assert "no column qty" in refused(write(small), None, ImportOptions(mapping={"sales": "qty"}))


def test_a_country_must_be_two_letters(write: Write, small: pd.DataFrame) -> None:
    assert "two letters" in refused(write(small), None, ImportOptions(country="Germany"))


def test_skipping_leaves_faulty_rows_out_and_reports_them(write: Write) -> None:
    cells = ["01,S,A,1", "99,S,A,1", "01,S,A,9", "02,S,A,x", "03,S,A", "04,S,A,2"]
    rows = "".join(f"2026-01-{row}\n" for row in cells)
    version = import_file(write(HEADER + rows), "till", None, ImportOptions(on_problem="skip"))
    assert read_frame(version)["sales"].tolist() == [1, 2]
    found = {finding["code"]: finding["examples"][0]["row"] for finding in version.findings}
    assert found.items() >= {"ragged-row": 6, "bad-date": 3, "not-a-number": 5, "duplicate": 4}.items()


def test_skipping_everything_is_an_error(write: Write) -> None:
    skipping = ImportOptions(on_problem="skip")
    assert "row 2, column date" in refused(write(HEADER + "x,S,A,1\n"), None, skipping)


def test_nothing_stays_behind_when_the_file_cannot_be_written(
    write: Write, small: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, artifact_folder: Path
) -> None:
    def full(self: SalesPart, content: bytes) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(SalesPart, "write", full)
    with pytest.raises(SalesFileError, match="till could not be saved: no space"):
        import_file(write(small), "till")
    assert not Dataset.objects.exists()
    assert not list(artifact_folder.rglob("*.*"))


def test_a_scope_reads_only_its_rows(
    write: Write, small: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.datasets.importing.canonical.ROW_GROUP_SIZE", 50)
    version = import_file(write(small), "till")
    assert set(read_frame(version, Scope("store", "S2"))["store_id"]) == {"S2"}
    product = read_frame(version, Scope("product", "B"))
    assert len(product) == 80
    assert product["product_id"].cat.categories.tolist() == ["B"]
    with pytest.raises(ValueError, match="no product 'Z'"):
        read_frame(version, Scope("product", "Z"))


def test_the_panel_has_a_row_for_each_series_of_the_scope(write: Write, small: pd.DataFrame) -> None:
    version = import_file(write(small), "till")
    panel = read_panel(version, Scope("product", "B"))
    assert panel.keys == [("S1", "B"), ("S2", "B")]
    assert panel.sales.shape == (2, 40)
    assert (list(panel.known), list(panel.static)) == (["promo"], ["brand"])


def test_the_command_prints_one_json_object(
    write: Write, small: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = small.rename(columns={"sales": "qty"}).assign(visitors=range(240))
    path = str(write(odd))
    arguments = ["--name", "till", "--map", "sales=qty", "--past", "visitors", "--country", "cn", "--json"]
    call_command("import_sales", path, *arguments)
    report = json.loads(capsys.readouterr().out)
    assert {
        key: report[key] for key in ("dataset", "rows", "stores", "products", "series", "first", "last")
    } == {
        "dataset": "till",
        "rows": 240,
        "stores": 2,
        "products": 3,
        "series": 6,
        "first": "2026-01-01",
        "last": "2026-02-09",
    }
    assert report["roles"] == {"brand": "static", "promo": "known", "visitors": "past"}
    assert Dataset.objects.get().country == "CN"
    assert len(report["hash"]) == 64


def test_the_command_can_show_what_would_change(
    write: Write, small: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    import_file(write(small[:-6]), "till")
    small.loc[0, "sales"] = 77
    call_command("import_sales", str(write(small)), "--name", "till", "--check")
    report = json.loads(capsys.readouterr().out)
    assert report["changes"] == {"added": 6, "changed": 1, "same": 233}
    assert (report["rows"], DatasetVersion.objects.count()) == (240, 1)


def test_the_command_says_how_to_answer_a_question(write: Write) -> None:
    text = HEADER + "01/02/2026,S,A,1\n02/03/2026,S,A,1\n"
    with pytest.raises(CommandError, match=r"--dates dmy \| mdy"):
        call_command("import_sales", str(write(text)), "--name", "till")
    call_command("import_sales", str(write(text)), "--name", "till", "--dates", "mdy")
    assert str(DatasetVersion.objects.get().last) == "2026-02-03"


def test_rows_of_a_newer_file_replace_and_others_stay(write: Write, small: pd.DataFrame) -> None:
    first = import_file(write(small.drop(columns="brand")), "till")
    newer = small[-12:].assign(sales=1)
    second = import_file(write(newer), "till")
    frame = read_frame(second).sort_values(["date", "store_id", "product_id"], ignore_index=True)
    assert frame["sales"].tolist() == [*range(228), *[1] * 12]
    assert frame["promo"].tolist() == small["promo"].tolist()
    assert set(frame["brand"].astype(str)) >= {"Bayer", "Hexal"}
    assert read_frame(first)["sales"].sum() == small["sales"].sum()
    with pytest.raises(SalesFileError, match="use the same kind"):
        import_file(write(newer.assign(promo="yes")), "till")


def test_the_command_reports_a_failure_in_one_line(write: Write) -> None:
    with pytest.raises(CommandError, match="row 2") as caught:
        call_command("import_sales", str(write(HEADER + "x,S,A,1\n")), "--name", "till")
    assert caught.value.returncode == 1


@pytest.mark.parametrize("arguments", [["--map", "sales"], ["--known", "promo", "--past", "promo"]])
def test_bad_arguments_end_with_code_two(write: Write, small: pd.DataFrame, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_sales", str(write(small)), "--name", "till", *arguments)
    assert caught.value.returncode == 2


def test_a_product_that_left_the_shelf_is_still_forecast_from_the_last_day(
    write: Write, small: pd.DataFrame
) -> None:
    gone = small[(small["product_id"] != "B") | (small["date"] < "2026-01-20")]
    panel = read_panel(import_file(write(gone), "till"), Scope("product", "B"))
    assert str(panel.origin) == "2026-02-09"
    assert not panel.closed.any()


def test_a_day_without_sales_of_one_product_is_no_closed_day(write: Write, small: pd.DataFrame) -> None:
    shut = small[small["date"] != "2026-01-08"]
    pause = shut[(shut["product_id"] != "B") | (shut["date"] != "2026-01-15")]
    panel = read_panel(import_file(write(pause), "till"), Scope("product", "B"))
    assert panel.closed[0].nonzero()[0].tolist() == [7]


def test_a_day_that_no_calendar_has_is_a_bad_date(write: Write, tmp_path: Path) -> None:
    columns = {"date": pa.array([1_358_561_294], pa.int32()).cast(pa.date32()), "store_id": ["S"]}
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({**columns, "product_id": ["A"], "sales": [1]}), path)
    assert "is not a date" in refused(path)


def test_damaged_files_are_refused_or_right_never_a_stack_trace(write: Write, small: pd.DataFrame) -> None:
    chance = random.Random(4)
    for name in ("x.csv", "x.parquet") * 60:
        content = bytearray(write(small, name).read_bytes())
        for _ in range(chance.choice([1, 2, 8])):
            place = chance.randrange(len(content))
            if chance.random() < 0.7:
                content[place] = chance.randrange(256)
            else:
                del content[place : place + chance.randrange(1, 30)]
        try:
            found = detect_columns(read_file(write(bytes(content), name)))
            if found.question is None:
                rows, _log = check_table(found.long, found.mapping, ImportOptions())
                assert rows.content.row_count <= 240
        except SalesFileError as problem:
            assert "\n" not in str(problem)


def test_the_folder_of_a_killed_import_goes_with_the_next_one(tmp_path: Path, settings) -> None:
    settings.DATA_DIR = tmp_path
    left = tmp_path / "uploads" / "import-left"
    left.mkdir(parents=True)
    (left / "in-use").touch()
    with import_folder() as running:
        assert left.exists(), "it may be about to begin"
        for folder in (left, running):
            os.utime(folder, (0, 0))
        with import_folder():
            assert running.exists() and not left.exists()
