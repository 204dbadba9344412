"""Files larger than memory are read in batches and checked by bucket: all that is told is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from registry.datasets.importing.batches import encoded, large_file, reading
from registry.datasets.importing.findings import MAX_EXAMPLES
from registry.datasets.importing.formats import csv_reader, parquet_reader
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import

START, DAYS = np.datetime64("2025-01-06"), 120
STORES, PRODUCTS = ["S1", "S2", "S3"], [f"P{number}" for number in range(8)]


def make_chain() -> pd.DataFrame:
    frame = pd.MultiIndex.from_product(
        [START + np.arange(DAYS), STORES, PRODUCTS], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    number, place = frame.index.to_numpy() // 24, frame.index.to_numpy() % 24
    frame["sales"] = 20 + (number * 7 + place * 5) % 9
    frame["price"] = 2.25 + place % 8
    frame["product_name"] = "Product " + frame["product_id"]
    return frame.astype({"date": str})


def read_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every file is a large one, in many batches and buckets."""
    monkeypatch.setattr(parquet_reader, "LARGE_ROWS", 0)
    monkeypatch.setattr(csv_reader, "LARGE_BYTES", 0)
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 8_000)
    monkeypatch.setattr(reading, "BATCH_ROWS", 500)
    monkeypatch.setattr(encoded, "SAMPLE_ROWS", 700)
    monkeypatch.setattr(large_file, "PIECE_ROWS", 400)


def run(path: Path, folder: Path, **how: object) -> dict:
    folder.mkdir()
    reading = ImportOptions(**{"on_problem": "propose", **how})
    report = run_import(
        ImportJob(path=str(path), name=path.name, folder=str(folder), reading=reading, today="2026-01-01")
    )
    rows = pq.read_table(folder / "canonical.parquet").to_pandas()
    rows = rows.astype({"store_id": str, "product_id": str})
    rows = rows.sort_values(["store_id", "product_id", "date"], ignore_index=True)
    report["saved"] = rows.astype(str).to_numpy().tolist()
    report["flagged"] = sorted((folder / "bad.csv").read_text().splitlines())
    left = {path.name for path in folder.iterdir()}
    assert left == {"canonical.parquet", "bad.csv"}, "nothing that was spilled stays"
    report["findings"] = [
        (
            one["code"],
            one["count"],
            one["action"],
            one.get("effect"),
            sorted(each["row"] for each in one["examples"]) if one["count"] < MAX_EXAMPLES else [],
        )
        for one in report["findings"]
    ]
    return report


def spoil(frame: pd.DataFrame) -> pd.DataFrame:
    """Every kind of fault that rows have."""
    frame = frame.astype(object)
    frame.loc[[5, 900, 901], "sales"] = "viele"
    frame.loc[[40, 1500], "date"] = "2025-02-30"
    frame.loc[[77], "product_id"] = ""
    frame.loc[[80, 81], "product_id"] = " P1 "
    frame.loc[[300], "sales"] = "NULL"
    frame.loc[[310, 311], "sales"] = "-3"
    frame.loc[[400], "price"] = "n/a"
    frame.loc[[500], "price"] = "cheap"
    frame.loc[[600], "date"] = "2027-01-01"
    frame.loc[[700], "sales"] = "9000"
    total = pd.DataFrame(
        {"date": ["2025-01-08"], "store_id": [""], "product_id": ["Total"], "sales": ["500"]}
    )
    return pd.concat([frame, total], ignore_index=True).fillna("")


def leave_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    day = (pd.to_datetime(frame["date"]) - pd.Timestamp(START)).dt.days
    missing = (frame["store_id"] == "S3") & day.isin([10, 11])
    missing |= (frame["product_id"] == "P5") & (frame["store_id"] == "S1") & day.between(30, 36)
    missing |= (frame["product_id"] == "P6") & (frame["store_id"] == "S2") & (day > 60)
    return frame[~missing]


CHAINS = {
    "clean": lambda frame: frame,
    "faults": spoil,
    "gaps": leave_gaps,
    "no store": lambda frame: frame[frame["store_id"] == "S1"].drop(columns="store_id"),
    "corrections": lambda frame: pd.concat([frame, frame[::50].assign(sales=1)]),
    "copies": lambda frame: pd.concat([frame, frame[::50]]),
    "receipts": lambda frame: pd.concat([frame, frame, frame]).assign(
        receipt=lambda all_rows: np.arange(len(all_rows))
    ),
    "numbers as codes": lambda frame: frame.assign(
        product_id=frame["product_id"].str[1:].astype(float) + 100
    ),
    "another empty column": lambda frame: frame.assign(note="", promo=np.arange(len(frame)) % 2),
    "german": lambda frame: frame.assign(
        date=pd.to_datetime(frame["date"]).dt.strftime("%d.%m.%Y"),
        price=frame["price"].map("{:.2f}".format).str.replace(".", ","),
    ),
    "a sum of all": lambda frame: pd.concat(
        [frame, frame.groupby(["date", "store_id"], as_index=False)["sales"].sum().assign(product_id="P99")]
    ),
}


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
@pytest.mark.parametrize("chain", CHAINS)
def test_a_large_file_is_read_like_a_small_one(
    chain: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, frame = tmp_path / f"chain{kind}", CHAINS[chain](make_chain())
    if kind == ".csv":
        frame.to_csv(path, index=False, sep=";" if chain == "german" else ",")
    else:
        frame = frame.astype({name: str for name in frame if frame[name].dtype == object})
        frame.to_parquet(path, index=False)
    expected = run(path, tmp_path / "small")
    read_large(monkeypatch)
    found = run(path, tmp_path / "large")
    assert {name: found[name] for name in found if found[name] != expected[name]} == {}
